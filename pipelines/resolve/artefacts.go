package resolve

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// This file writes what partition leaves of the model: the artefact itself, and
// the pairs about which it is least sure.

// writeModels writes identity.models: the models of before, and this run's.
func writeModels(ctx context.Context, t *pipelines.Task) error {
	ms, err := models(ctx, t)
	if err != nil {
		return err
	}
	rows := map[string]weir.IdentityModel{}
	for row, err := range pipelines.ScanInput[weir.IdentityModel](ctx, t, modelsTable) {
		if err != nil {
			return err
		}
		row.Current = false
		rows[row.Version] = row
	}
	for kind, m := range ms {
		row, known := rows[m.Version()]
		if !known {
			artefact, err := m.JSON()
			if err != nil {
				return err
			}
			run := t.Spec().Run
			row = weir.IdentityModel{Version: m.Version(), Kind: kind, RunID: run.ID, At: run.Now, Records: int64(m.Trained.Total),
				Sample: int64(m.Trained.Records), Threshold: m.Threshold(), Artefact: string(artefact)}
		}
		row.Current = true
		rows[row.Version] = row
	}
	if len(rows) == 0 {
		return nil
	}
	w, err := pipelines.Output[weir.IdentityModel](t, modelsTable, "")
	if err != nil {
		return err
	}
	for _, v := range slices.Sorted(maps.Keys(rows)) {
		if err := w.Write(rows[v]); err != nil {
			return err
		}
	}
	return nil
}

// writeCandidates writes identity.candidates.
func writeCandidates(ctx context.Context, t *pipelines.Task, g *graph, clusters []int32) error {
	var all nearest
	for row, err := range pipelines.Stream[uncertainRow](ctx, t, "uncertain") {
		if err != nil {
			return err
		}
		all.rows = append(all.rows, row)
	}
	if len(all.rows) == 0 {
		return nil
	}
	all.cut()
	rows := make([]weir.Candidate, 0, len(all.rows))
	for _, u := range all.rows {
		left, right := g.byDigest(readDigest(u.Left)), g.byDigest(readDigest(u.Right))
		if left < 0 || right < 0 {
			return weir.Errorf(weir.Internal, "a score of a record that is not there")
		}
		rows = append(rows, candidate(u, g.names.At(left), g.names.At(right), clusters[left] == clusters[right]))
	}
	return outputCandidates(t, rows)
}

// candidate is the row of a pair.
func candidate(u uncertainRow, left, right string, linked bool) weir.Candidate {
	weight := math.Round(u.Weight*1e4) / 1e4
	return weir.Candidate{Left: min(left, right), Right: max(left, right), Kind: recordKind(u.Of).kind(),
		Weight: weight, Probability: 1 / (1 + math.Exp2(-weight)), Linked: linked}
}

func outputCandidates(t *pipelines.Task, rows []weir.Candidate) error {
	slices.SortFunc(rows, func(a, b weir.Candidate) int {
		return cmp.Or(strings.Compare(a.Left, b.Left), strings.Compare(a.Right, b.Right))
	})
	w, err := pipelines.Output[weir.Candidate](t, candidates, "")
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
