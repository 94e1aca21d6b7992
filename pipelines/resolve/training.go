package resolve

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// Training makes the models that a run of resolve lacks: a sample of the records
// by the hash of their ids; of a large table also whole blocks, by the hash of
// their keys, for which the records are read again; and one task that learns from
// both.
var Training = pipelines.Pipeline{
	Stage:   weir.Train,
	Sources: []string{records},
	Steps: []pipelines.Step{
		{Name: "sample", Run: sample},
		{Name: "plan", Run: planBlocks},
		{Name: "gather", Run: gatherBlocks},
		{Name: "learn", Run: learn},
	},
}

// TrainParams is what training depends on.
type TrainParams struct {
	Identity []weir.IdentityDef `json:"identity"`
	Models   []ModelRef         `json:"models"` // to make
	Records  int64              `json:"records"`
	Seed     uint64             `json:"seed"`
	Labels   []train.Label      `json:"labels,omitempty"`
	Budget   int                `json:"budget,omitempty"` // records drawn at random; 0: train.Budget. for blocks half as many again
}

// budgets are how many records a sample draws at random, and for whole blocks.
func (p *TrainParams) budgets() (uniform, blocks int) {
	if p.Budget <= 0 {
		return train.Budget, train.BlockBudget
	}
	return p.Budget, p.Budget * 3 / 2
}

// ReportKey is where a model's training report lies.
func ReportKey(model string) string { return strings.TrimSuffix(model, ".json") + ".report.json" }

// sampleRow is a record of the sample. To learn.
type sampleRow struct {
	ID, Source         string
	Attributes, Texts  []string
	Identifiers, Codes []string
}

// kindRow counts a task's records of one kind. To learn.
type kindRow struct{ Records int64 }

func partitionOfKind(k weir.Kind) int {
	if k == weir.Account {
		return int(account)
	}
	return int(person)
}

func sample(ctx context.Context, t *pipelines.Task) error {
	p, err := pipelines.Params[TrainParams](t)
	if err != nil {
		return err
	}
	r, err := compiled(t, p.Identity)
	if err != nil {
		return err
	}
	labelled := map[string]bool{}
	for _, l := range p.Labels {
		labelled[l.A], labelled[l.B] = true, true
	}
	budget, _ := p.budgets()
	sampler := train.NewSampler(int(p.Records), budget, p.Seed)
	counts := map[weir.Kind]int64{}
	large := p.Records > int64(budget)
	// Most records are only counted: they are not made of what was read.
	look := func(v *pipelines.View, chosen []bool) error {
		id, err := v.Text("record_id")
		if err != nil {
			return err
		}
		kind, err := v.Text("kind")
		if err != nil {
			return err
		}
		of := map[string]int64{}
		for i := range chosen {
			of[kind(i)]++
			chosen[i] = sampler.Keep(id(i)) || labelled[id(i)]
		}
		for k, n := range of {
			counts[weir.Kind(strings.Clone(k))] += n
		}
		return nil
	}
	err = each(pipelines.Chosen[weir.Record](ctx, t, func(c string) bool { return c != "stream" && c != "observed_at" }, look), func(rec weir.Record) error {
		drawn := sampler.Keep(rec.ID)
		row := packSample(r.Usable(&rec))
		if drawn && large {
			if err := pipelines.Emit(t, "record", partitionOfKind(rec.Kind), row); err != nil {
				return err
			}
		}
		return pipelines.Emit(t, "learn:record", partitionOfKind(rec.Kind), row)
	})
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		for _, channel := range []string{"kind", "learn:kind"} {
			if err := pipelines.Emit(t, channel, partitionOfKind(k), kindRow{counts[k]}); err != nil {
				return err
			}
		}
	}
	if large {
		return t.Again("gather")
	}
	return nil
}

func packSample(rec *weir.Record) sampleRow {
	row := sampleRow{ID: rec.ID, Source: rec.Source}
	row.Attributes = make([]string, 0, len(rec.Attributes))
	for name := range rec.Attributes {
		row.Attributes = append(row.Attributes, name)
	}
	slices.Sort(row.Attributes)
	row.Texts = make([]string, len(row.Attributes))
	for i, name := range row.Attributes {
		row.Texts[i] = rec.Attributes[name]
	}
	var few [8]string
	kinds := few[:0]
	for kind := range rec.Identifiers {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		for _, v := range rec.Identifiers[kind] {
			row.Identifiers, row.Codes = append(row.Identifiers, kind), append(row.Codes, v)
		}
	}
	return row
}

func (s *sampleRow) record(kind weir.Kind) weir.Record {
	rec := weir.Record{ID: s.ID, Kind: kind, Source: s.Source, Attributes: make(map[string]string, len(s.Attributes)), Identifiers: weir.Identifiers{}}
	for i, name := range s.Attributes {
		rec.Attributes[name] = s.Texts[i]
	}
	for i, k := range s.Identifiers {
		rec.Identifiers[k] = append(rec.Identifiers[k], s.Codes[i])
	}
	return rec
}

// sampled reads the records of one channel. Only one task does, so it makes them side
// by side.
func sampled(ctx context.Context, t *pipelines.Task, channel string, kind weir.Kind) ([]weir.Record, error) {
	rows, err := pipelines.Read[sampleRow](ctx, t, channel)
	if err != nil {
		return nil, err
	}
	out := make([]weir.Record, len(rows))
	const piece = 1 << 12
	return out, side((len(rows)+piece-1)/piece, func(i int) error {
		for k := i * piece; k < min((i+1)*piece, len(rows)); k++ {
			out[k] = rows[k].record(kind)
		}
		return nil
	})
}

// ofKind counts the records of the table of this task's kind.
func ofKind(ctx context.Context, t *pipelines.Task) (n int, err error) {
	err = each(pipelines.Stream[kindRow](ctx, t, "kind"), func(row kindRow) error {
		n += int(row.Records)
		return nil
	})
	return n, err
}

// learn makes one kind's model. Whoever asks again for the same model later gets
// this one.
func learn(ctx context.Context, t *pipelines.Task) error {
	p, err := pipelines.Params[TrainParams](t)
	if err != nil {
		return err
	}
	kind := recordKind(t.Partition()).kind()
	ref := slices.IndexFunc(p.Models, func(r ModelRef) bool { return r.Kind == kind })
	def := slices.IndexFunc(p.Identity, func(d weir.IdentityDef) bool { return d.Kind == kind })
	if ref < 0 || def < 0 {
		return nil
	}
	s := train.Sample{Labels: p.Labels}
	if s.Records, err = sampled(ctx, t, "record", kind); err != nil {
		return err
	}
	if s.Blocks, err = sampled(ctx, t, "block", kind); err != nil {
		return err
	}
	if s.Total, err = ofKind(ctx, t); err != nil {
		return err
	}
	if s.Plan, err = readPlan(ctx, t, kind); err != nil {
		return err
	}
	m, report, err := train.Train(&s, p.Identity[def], train.Options{Seed: p.Seed})
	if err != nil {
		return err
	}
	if report.Labels, err = train.CheckLabels(&s, p.Identity[def], train.Options{Seed: p.Seed}, m); err != nil {
		return err
	}
	t.Count("sample", int64(len(s.Records)))
	t.Count("sample_blocks", int64(len(s.Blocks)))
	told, err := json.Marshal(report)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode the training's report: %w", err)
	}
	if err := t.Store().Put(ctx, ReportKey(p.Models[ref].Key), bytes.NewReader(told), int64(len(told))); err != nil {
		return err
	}
	artefact, err := m.JSON()
	if err != nil {
		return err
	}
	_, err = t.Store().PutIfAbsent(ctx, p.Models[ref].Key, artefact)
	return err
}
