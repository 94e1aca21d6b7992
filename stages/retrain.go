package stages

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
	"github.com/weir-cdp/weir/project"
)

// LearnedModel is one model before and after a training.
type LearnedModel struct {
	Kind   weir.Kind `json:"kind"`
	Before string    `json:"before"` // version; "": there was none
	After  string    `json:"after"`
	Gain   *Gain     `json:"gain,omitempty"` // where people answered
}

// Gain says how far a model agrees with what people answered to review. All of it
// was known to the new one; Check is of answers that were held out.
type Gain struct {
	Answers int               `json:"answers"` // about records that are there
	Before  int               `json:"before"`  // of them the old model agrees with
	After   int               `json:"after"`
	Used    int               `json:"used"` // that the new model was fitted to
	Check   *train.LabelCheck `json:"check,omitempty"`
}

// CurrentModels gives the version of each kind's current model.
func (h *House) CurrentModels(ctx context.Context) (map[weir.Kind]string, error) {
	q, err := h.ask(ctx, "identity.models")
	if err != nil {
		return nil, err
	}
	defer q.close()
	rows, err := list[weir.IdentityModel](ctx, q, "identity.models", "where current")
	out := map[weir.Kind]string{}
	for _, r := range rows {
		out[r.Kind] = r.Version
	}
	return out, err
}

// Modelled lists the kinds for which identity.yaml asks for a model; one of them
// where kind is not "".
func Modelled(p *project.Project, kind weir.Kind) ([]weir.Kind, error) {
	if kind != "" {
		return []weir.Kind{kind}, modelled(p, kind)
	}
	var out []weir.Kind
	for _, d := range p.Identity {
		if d.Model != nil {
			out = append(out, d.Kind)
		}
	}
	if len(out) == 0 {
		return nil, modelled(p, weir.Person)
	}
	return out, nil
}

// Learned compares the models before a training with those after.
func (h *House) Learned(ctx context.Context, p *project.Project, kinds []weir.Kind, before map[weir.Kind]string) ([]LearnedModel, error) {
	now, err := h.CurrentModels(ctx)
	if err != nil {
		return nil, err
	}
	var out []LearnedModel
	for _, kind := range kinds {
		l := LearnedModel{Kind: kind, Before: before[kind], After: now[kind]}
		if l.After != "" && len(p.Labels) > 0 {
			if l.Gain, err = h.gain(ctx, p, l); err != nil {
				return nil, err
			}
		}
		out = append(out, l)
	}
	return out, nil
}

func (h *House) gain(ctx context.Context, p *project.Project, l LearnedModel) (*Gain, error) {
	q, err := h.ask(ctx, "identity.models", "core.records")
	if err != nil {
		return nil, err
	}
	defer q.close()
	labels := labelsOf(p)
	ids := map[string]bool{}
	for _, x := range labels {
		ids[x.A], ids[x.B] = true, true
	}
	records, err := q.usable(ctx, p, l.Kind, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	g := &Gain{}
	for version, agree := range map[string]*int{l.Before: &g.Before, l.After: &g.After} {
		rows, err := list[weir.IdentityModel](ctx, q, "identity.models", "where model_version = ?", version)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		m, err := model.Parse([]byte(rows[0].Artefact))
		if weir.CodeOf(err) == weir.Invalid && version == l.Before {
			continue // of a format of before
		}
		if err != nil {
			return nil, err
		}
		*agree, g.Answers = train.Agreement(m, records, labels)
		if version == l.After {
			g.Used = m.Trained.Labels
		}
	}
	if l.Before == l.After {
		g.Before = g.After
	}
	if g.Answers == 0 {
		return nil, nil
	}
	told, err := h.trainingReport(ctx, l.Kind, l.After)
	if told != nil {
		g.Check = told.Labels
	}
	return g, err
}

// labelsOf gives people's answers as training takes them.
func labelsOf(p *project.Project) []train.Label {
	var out []train.Label
	for _, l := range p.Labels {
		out = append(out, train.Label{A: l.Left, B: l.Right, Same: l.Answer == project.Same})
	}
	return out
}

// usable reads records of a kind as the model sees them: without blocked values.
func (q *asking) usable(ctx context.Context, p *project.Project, kind weir.Kind, ids []string) ([]weir.Record, error) {
	rules, err := evidence.Compile(p.Identity)
	if err != nil {
		return nil, err
	}
	records, err := q.recordsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := []weir.Record{}
	for i := range records {
		if records[i].Kind == kind {
			e := rules.Of(&records[i])
			out = append(out, *e.Usable(&records[i]))
		}
	}
	return out, nil
}

// recordsByID reads records whole, in the order of their ids; those that are gone
// are left out.
func (q *asking) recordsByID(ctx context.Context, ids []string) ([]weir.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "records: %w", err)
	}
	fields := [][2]string{}
	for _, c := range q.have["core.records"].Attributes() {
		fields = append(fields, [2]string{c.Name, jsonValue(quote(c.Name), c.Type)})
	}
	attributes := "'{}'::json"
	if len(fields) > 0 {
		attributes = fieldsJSON(fields...) + "::json"
	}
	row := fieldsJSON([2]string{"record_id", "record_id"}, [2]string{"kind", "kind"}, [2]string{"source", "source"},
		[2]string{"identifiers", "identifiers"}, [2]string{"marked", attributes})
	type marked struct {
		ID          string           `json:"record_id"`
		Kind        weir.Kind        `json:"kind"`
		Source      string           `json:"source"`
		Identifiers weir.Identifiers `json:"identifiers"`
		Marked      map[string]any   `json:"marked"`
	}
	found, err := decoded[marked](ctx, q, "select "+row+" from core.records where record_id in (select unnest(cast(?::json as varchar[]))) order by record_id", string(text))
	if err != nil {
		return nil, err
	}
	out := make([]weir.Record, len(found))
	for i, f := range found {
		out[i] = weir.Record{ID: f.ID, Kind: f.Kind, Source: f.Source, Identifiers: f.Identifiers, Attributes: plain(f.Marked)}
	}
	return out, nil
}
