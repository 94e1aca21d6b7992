package stages

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/report"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
	"github.com/weir-cdp/weir/project"
)

// ModelView is what a person sees of the model that made the current edges.
type ModelView struct {
	Kind        weir.Kind      `json:"kind"`
	Version     string         `json:"model_version"`
	Run         weir.RunID     `json:"run_id"` // the first that used it
	At          time.Time      `json:"at"`
	Trained     model.Trained  `json:"trained"`
	Threshold   float64        `json:"threshold"`   // log2 odds
	Probability float64        `json:"probability"` // the threshold as one
	Prior       float64        `json:"prior"`       // log2 odds of two records drawn at random
	Unlinkable  *float64       `json:"unlinkable"`  // share of records; null: unknown
	Columns     []ModelColumn  `json:"columns"`
	NotCompared []ModelColumn  `json:"not_compared"`
	Relations   []model.Class  `json:"relations"`
	Blocks      []report.Block `json:"blocks"`
	MaxBlock    int            `json:"max_block"`
	Curve       []report.Point `json:"curve"`
	Notes       []string       `json:"notes"` // what the reader should know first

	data report.Data
}

// ModelColumn is one column of a model, or one that it leaves out.
type ModelColumn struct {
	Name       string       `json:"name"`
	Identifier bool         `json:"identifier"`
	Comparison string       `json:"comparison,omitempty"`
	Complete   float64      `json:"complete"` // share of records that hold a value, at training
	Levels     []ModelLevel `json:"levels,omitempty"`
	Why        string       `json:"why,omitempty"` // chosen, or left out
}

// ModelLevel is one level of agreement.
type ModelLevel struct {
	Name   string  `json:"name"`
	M      float64 `json:"m"`
	U      float64 `json:"u"`
	Weight float64 `json:"weight"` // log2(m/u)
}

// HTML writes the model as a page.
func (v *ModelView) HTML(w io.Writer) error { return report.Write(w, v.data) }

// Chart writes one chart of the page as an SVG file; see report.Charts.
func (v *ModelView) Chart(w io.Writer, name string) error { return report.Chart(w, v.data, name) }

// modelled finds the section of a kind that asks for a model.
func modelled(p *project.Project, kind weir.Kind) error {
	if kind != weir.Person && kind != weir.Account {
		return weir.Errorf(weir.Invalid, "unknown kind %q", kind).Then("--kind person or --kind account")
	}
	i := slices.IndexFunc(p.Identity, func(d weir.IdentityDef) bool { return d.Kind == kind })
	if i < 0 || p.Identity[i].Model == nil {
		return weir.Errorf(weir.Invalid, "no model of kind %s is asked for", kind).At("identity.yaml").
			Then(fmt.Sprintf("add below %s: a line \"model: auto\", then: weir run", kind))
	}
	return nil
}

// IdentityModel shows the model of a kind of records.
func (h *House) IdentityModel(ctx context.Context, p *project.Project, kind weir.Kind) (*ModelView, error) {
	if err := modelled(p, kind); err != nil {
		return nil, err
	}
	q, err := h.ask(ctx, "identity.models", "identity.runs")
	if err != nil {
		return nil, err
	}
	defer q.close()
	row, m, err := q.currentModel(ctx, kind)
	if err != nil {
		return nil, err
	}
	v := &ModelView{Kind: kind, Version: row.Version, Run: row.RunID, At: row.At, Trained: m.Trained, Threshold: m.Threshold(),
		Probability: 1 / (1 + math.Exp2(-m.Threshold())), Prior: max(report.Prior(m.Content), -200), Relations: m.Classes, MaxBlock: m.MaxBlock(),
		Columns: []ModelColumn{}, NotCompared: []ModelColumn{}, Notes: []string{}}
	told, err := h.trainingReport(ctx, kind, row.Version)
	if err != nil {
		return nil, err
	}
	v.columns(m, told)
	if v.Blocks, err = h.blocks(ctx, m, told); err != nil {
		return nil, err
	}
	if told != nil {
		v.Curve = report.Curve(m.Content, told)
		share := report.Unlinkable(told, m.Threshold())
		v.Unlinkable = &share
	}
	if err := h.modelNotes(ctx, q, p, v, m, told); err != nil {
		return nil, err
	}
	v.data = report.Data{Kind: string(kind), Version: row.Version, Run: string(row.RunID), At: row.At, Model: m.Content, Trained: told, Blocks: v.Blocks, Notes: v.Notes}
	return v, nil
}

// currentModel reads the artefact that made the current edges.
func (q *asking) currentModel(ctx context.Context, kind weir.Kind) (weir.IdentityModel, *model.Model, error) {
	rows, err := list[weir.IdentityModel](ctx, q, "identity.models", "where kind = ? and current", string(kind))
	if err != nil {
		return weir.IdentityModel{}, nil, err
	}
	if len(rows) == 0 {
		return weir.IdentityModel{}, nil, weir.Errorf(weir.NotFound, "no model of kind %s is trained yet", kind).Then("weir run")
	}
	m, err := model.Parse([]byte(rows[0].Artefact))
	if err != nil {
		return rows[0], nil, weir.Errorf(weir.Invalid, "model %s: %w", rows[0].Version, err).Then("weir identity train")
	}
	return rows[0], m, nil
}

// trainingReport finds what training told of a version; nil where it is gone.
func (h *House) trainingReport(ctx context.Context, kind weir.Kind, version string) (*train.Report, error) {
	key, err := h.artefactOf(ctx, kind, version)
	if err != nil || key == "" {
		return nil, err
	}
	told := &train.Report{}
	err = h.readJSON(ctx, resolver.ReportKey(key), told)
	if weir.CodeOf(err) == weir.NotFound {
		return nil, nil
	}
	return told, err
}

// artefactOf finds the object of a version. There are as many as settings were
// tried; one of another format is somebody else's.
func (h *House) artefactOf(ctx context.Context, kind weir.Kind, version string) (string, error) {
	for info, err := range h.store().List(ctx, "models/"+string(kind)+"/") {
		if err != nil {
			return "", err
		}
		if strings.HasSuffix(info.Key, resolver.ReportKey("")) || !strings.HasSuffix(info.Key, ".json") {
			continue
		}
		m, err := resolver.ReadModel(ctx, h.store().ReadFile, info.Key)
		if weir.CodeOf(err) == weir.Invalid {
			continue
		}
		if err != nil {
			return "", err
		}
		if m.Version() == version {
			return info.Key, nil
		}
	}
	return "", nil
}

func (v *ModelView) columns(m *model.Model, told *train.Report) {
	why := map[string]string{}
	if told != nil {
		for _, p := range told.Columns {
			if p.Chosen == "" {
				v.NotCompared = append(v.NotCompared, ModelColumn{Name: p.Name, Identifier: p.IsIdentifier,
					Complete: float64(p.Records) / float64(max(m.Trained.Records, 1)), Why: p.Why})
			} else {
				why[p.Name] = p.Why
			}
		}
	}
	for _, c := range m.Columns {
		col := ModelColumn{Name: c.Name, Identifier: c.IsIdentifier, Comparison: c.Kind, Complete: c.Complete, Why: why[c.Name]}
		for _, l := range c.Levels {
			col.Levels = append(col.Levels, ModelLevel{Name: l.Name, M: l.M, U: l.U, Weight: report.Weight(l)})
		}
		v.Columns = append(v.Columns, col)
	}
}

// blocks tells what each blocking rule was expected to find, and what it found in
// the last run that compared pairs.
func (h *House) blocks(ctx context.Context, m *model.Model, told *train.Report) ([]report.Block, error) {
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return nil, err
	}
	var last weir.StageRun
	for _, r := range runs {
		if _, compared := r.Counts["pairs_compared"]; compared && r.Stage == weir.Resolve && r.Status != Failed && r.EndedAt.After(last.EndedAt) {
			last = r
		}
	}
	out := []report.Block{}
	for _, r := range m.Rules {
		b := report.Block{Rule: r.Name, Expected: r.Pairs, Counted: last.Counts[resolver.PairsBy+r.Name], Lost: last.Counts[resolver.PairsLostBy+r.Name]}
		for _, p := range r.Second {
			b.Second = append(b.Second, m.Columns[p.Column].Name)
		}
		if told != nil {
			for _, x := range told.Rules {
				if x.Name == r.Name {
					b.Matches, b.Added = x.Matches, x.Added
				}
			}
		}
		out = append(out, b)
	}
	return out, nil
}

// modelNotes says what a reader of the figures should know first.
func (h *House) modelNotes(ctx context.Context, q *asking, p *project.Project, v *ModelView, m *model.Model, told *train.Report) error {
	note := func(format string, args ...any) { v.Notes = append(v.Notes, fmt.Sprintf(format, args...)) }
	refs, err := h.models(ctx, p)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if ref.Kind != v.Kind {
			continue
		}
		next, err := resolver.ReadModel(ctx, h.store().ReadFile, ref.Key)
		switch {
		case weir.CodeOf(err) == weir.NotFound:
			note("the next run trains a new model: identity.yaml changed since, or somebody asked for it")
		case err != nil && weir.CodeOf(err) != weir.Invalid:
			return err
		case err == nil && next.Version() != v.Version:
			note("the next run uses model %s: identity.yaml changed since", next.Version())
		}
	}
	switch {
	case len(m.Columns) == 0:
		note("this model compares nothing and links nothing: no column holds values that repeat")
	case told == nil:
		note("the report of its training is not there: no curves")
	case !report.Reached(m.Content, told):
		note("no pair that training looked at reaches the threshold of %.4g bits (probability %.4g): it links nothing; lower model.threshold in identity.yaml", v.Threshold, v.Probability)
	}
	if told != nil {
		v.Notes = append(v.Notes, told.Notes...)
	}
	drifted, err := q.drift(ctx)
	for _, d := range drifted {
		if d.Kind == v.Kind && d.Large {
			note("drift: %s", d.Says)
		}
	}
	return err
}
