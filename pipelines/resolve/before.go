package resolve

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// before is what the last run made of the records.
type before struct {
	ids     []string // the profiles that lived, ascending
	profile []int32  // by record: the index of its profile, or -1
}

// of is the profile of a record, "" if it had none.
func (b before) of(m int32) string {
	if i := b.profile[m]; i >= 0 {
		return b.ids[i]
	}
	return ""
}

func loadBefore(ctx context.Context, t *pipelines.Task, g *graph) (before, error) {
	b := before{profile: make([]int32, g.N)}
	for i := range b.profile {
		b.profile[i] = -1
	}
	var ids []string
	if err := each(pipelines.Stream[priorRow](ctx, t, "prior"), func(row priorRow) error {
		ids = append(ids, row.Profile)
		return nil
	}); err != nil {
		return b, err
	}
	names, err := cluster.NewNames(ids)
	if err != nil {
		return b, err
	}
	b.ids = names.All()
	return b, each(pipelines.Stream[priorRow](ctx, t, "prior"), func(row priorRow) error {
		if m := g.names.Find(row.Record); m >= 0 {
			b.profile[m] = names.Find(row.Profile)
		}
		return nil
	})
}

// ended finds the ids that were merged away and lead to these profiles, with what
// is left of their records. It reads all of identity.merges and identity.moves: a
// run in which no profile parts does not ask.
// Find tells the number of a record, -1 of one that is gone.
func ended(ctx context.Context, t *pipelines.Task, find func(record string) int32, ids []string, priors []int32) ([]stableid.Ended, error) {
	into := make(map[string]bool, len(priors))
	index := make(map[string]int32, len(priors))
	for _, p := range priors {
		into[ids[p]], index[ids[p]] = true, p
	}
	var rows []weir.Merge
	if err := each(pipelines.ScanInput[weir.Merge](ctx, t, merges), func(m weir.Merge) error {
		if !stableid.IsAnonymous(m.From) {
			rows = append(rows, m)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	type end struct {
		run weir.RunID
		id  string
	}
	var out []stableid.Ended
	at := map[end]int{}
	for i, e := range stableid.NewHistory(rows).EndedInto(into) {
		out = append(out, stableid.Ended{ID: e.ID, Into: index[e.Into]})
		at[end{e.Run, e.ID}] = i
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, each(pipelines.ScanInput[weir.RecordMove](ctx, t, moves), func(m weir.RecordMove) error {
		i, asked := at[end{m.RunID, m.From}]
		if !asked {
			return nil
		}
		if r := find(m.RecordID); r >= 0 {
			out[i].Members = append(out[i].Members, r)
		}
		return nil
	})
}

// writeMoves appends the records that changed profiles to identity.moves.
func writeMoves(t *pipelines.Task, g *graph, b before, clusters []int32, ids []string) error {
	for m, c := range clusters {
		was, now := b.of(int32(m)), ids[c]
		if was == "" || was == now {
			continue
		}
		w, err := pipelines.Output[weir.RecordMove](t, moves, "")
		if err != nil {
			return err
		}
		run := t.Spec().Run
		t.Count("records_moved", 1)
		if err := w.Write(weir.RecordMove{RunID: run.ID, At: run.Now, RecordID: g.names.At(int32(m)), From: was, To: now}); err != nil {
			return err
		}
	}
	return nil
}
