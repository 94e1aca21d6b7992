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
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// Training makes the models that a run of resolve lacks: a sample of the records
// by the hash of their ids, and one task that learns from it.
var Training = pipelines.Pipeline{
	Stage:   weir.Train,
	Sources: []string{records},
	Steps: []pipelines.Step{
		{Name: "sample", Run: sample},
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
	r, err := pipelines.Shared(t, "rules", func() (*evidence.Rules, error) { return evidence.Compile(p.Identity) })
	if err != nil {
		return err
	}
	labelled := map[string]bool{}
	for _, l := range p.Labels {
		labelled[l.A], labelled[l.B] = true, true
	}
	sampler := train.NewSampler(int(p.Records), 0, p.Seed)
	counts := map[weir.Kind]int64{}
	err = each(pipelines.Rows[weir.Record](ctx, t), func(rec weir.Record) error {
		counts[rec.Kind]++
		if !sampler.Keep(rec.ID) && !labelled[rec.ID] {
			return nil
		}
		e := r.Of(&rec)
		return pipelines.Emit(t, "record", partitionOfKind(rec.Kind), packSample(e.Usable(&rec)))
	})
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		if err := pipelines.Emit(t, "kind", partitionOfKind(k), kindRow{counts[k]}); err != nil {
			return err
		}
	}
	return nil
}

func packSample(rec *weir.Record) sampleRow {
	row := sampleRow{ID: rec.ID, Source: rec.Source}
	for _, name := range slices.Sorted(maps.Keys(rec.Attributes)) {
		row.Attributes, row.Texts = append(row.Attributes, name), append(row.Texts, rec.Attributes[name])
	}
	for _, kind := range slices.Sorted(maps.Keys(rec.Identifiers)) {
		for _, v := range rec.Identifiers[kind] {
			row.Identifiers, row.Codes = append(row.Identifiers, kind), append(row.Codes, v)
		}
	}
	return row
}

func (s *sampleRow) record(kind weir.Kind) weir.Record {
	rec := weir.Record{ID: s.ID, Kind: kind, Source: s.Source, Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
	for i, name := range s.Attributes {
		rec.Attributes[name] = s.Texts[i]
	}
	for i, k := range s.Identifiers {
		rec.Identifiers[k] = append(rec.Identifiers[k], s.Codes[i])
	}
	return rec
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
	if err := each(pipelines.Stream[sampleRow](ctx, t, "record"), func(row sampleRow) error {
		s.Records = append(s.Records, row.record(kind))
		return nil
	}); err != nil {
		return err
	}
	if err := each(pipelines.Stream[kindRow](ctx, t, "kind"), func(row kindRow) error {
		s.Total += int(row.Records)
		return nil
	}); err != nil {
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
