package stages

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// journal is what one run does at one destination, durable before the tables
// know it: the plan, a started mark before each chunk is sent, its outcomes
// after. If the run never ends, the next one settles it first: a chunk with a
// mark and no outcomes may have arrived, so its rows count as held until they
// are sent again or removed. Nothing can be at a destination without a trace.
type journal struct {
	*House
	destination string
	run         weir.RunID
}

func (j journal) prefix() string {
	return "journal/" + j.destination + "/" + string(j.run) + "/"
}

func (j journal) key(name string) string { return j.prefix() + name }

func (j journal) startedKey(n int) string { return j.key(fmt.Sprintf("started/%06d", n)) }

func (j journal) outcomeKey(n int) string { return j.key(fmt.Sprintf("outcome/%06d.parquet", n)) }

// start marks a chunk as about to be sent; first is false if an earlier attempt
// has, which may have sent some of it.
func (j journal) start(ctx context.Context, n int) (first bool, err error) {
	return j.store().PutIfAbsent(ctx, j.startedKey(n), []byte("started"))
}

// The marks of a destination that publishes after its last batch: before that,
// nothing that it took counts as delivered.
const (
	publishesMark = "publishes"
	publishedMark = "published"
)

func (j journal) mark(ctx context.Context, name string) error {
	_, err := j.store().PutIfAbsent(ctx, j.key(name), []byte(name))
	return err
}

func (j journal) marked(ctx context.Context, name string) (bool, error) {
	_, err := j.store().Stat(ctx, j.key(name))
	if weir.CodeOf(err) == weir.NotFound {
		return false, nil
	}
	return err == nil, err
}

// unpublished tells whether the destination took rows and never published them.
func (j journal) unpublished(ctx context.Context) (bool, error) {
	publishes, err := j.marked(ctx, publishesMark)
	if err != nil || !publishes {
		return false, err
	}
	published, err := j.marked(ctx, publishedMark)
	return !published, err
}

// finish records a chunk's outcomes.
func (j journal) finish(ctx context.Context, n int, out []weir.Delivery) error {
	w, err := rowfile.NewScratchWriter[weir.Delivery](ctx, j.store(), j.outcomeKey(n), len(out))
	if err != nil {
		return err
	}
	if err := w.WriteGroup(out); err != nil {
		return err
	}
	return w.Close()
}

// outcomes reads a chunk's outcomes, if it has them.
func (j journal) outcomes(ctx context.Context, n int) ([]weir.Delivery, bool, error) {
	if _, err := j.store().Stat(ctx, j.outcomeKey(n)); weir.CodeOf(err) == weir.NotFound {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	out, err := rowfile.ReadGroup[weir.Delivery](ctx, j.store(), j.outcomeKey(n), 0)
	return out, err == nil, err
}

// Unknown is the status of a row that may have been sent when its run broke off.
const Unknown = "unknown"

// broken gives the deliveries of a chunk that was started and never finished.
func (j journal) broken(ctx context.Context, sp activateSpec, n int) ([]weir.Delivery, error) {
	if _, err := j.store().Stat(ctx, j.startedKey(n)); weir.CodeOf(err) == weir.NotFound {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	changes, err := rowfile.ReadGroup[change](ctx, j.store(), sp.planKey(j), n)
	if err != nil {
		return nil, err
	}
	out := make([]weir.Delivery, len(changes))
	for i, c := range changes {
		out[i] = weir.Delivery{ID: c.ID, RunID: sp.Run.ID, Activation: c.Activation, Destination: sp.Destination, ProfileID: c.ProfileID,
			DeliveredKey: c.Key, Op: c.Op, DecisionID: c.DecisionID, Checksum: c.Checksum, Sequence: c.Sequence, Status: Unknown, At: sp.Run.Now, Channel: c.Channel}
	}
	return out, nil
}

// settle brings what was sent into activation.deliveries and activation.state.
// Doing it twice changes nothing.
func (j journal) settle(ctx context.Context, sp activateSpec) (weir.StageRun, error) {
	r := result{Manifest: weir.Manifest{Run: sp.Run, Stage: weir.Activate, Counts: map[string]int64{}}, Part: sp.Destination, StartedAt: j.Clock()}
	byActivation := map[string]*delivered{}
	deliveries, err := rowfile.NewTableWriter[weir.Delivery](ctx, j.store(), schema.Named("activation.deliveries"), "")
	if err != nil {
		return weir.StageRun{}, err
	}
	defer deliveries.Abort()
	var away int
	var why string
	unpublished, err := j.unpublished(ctx)
	if err != nil {
		return weir.StageRun{}, err
	}
	for n := range sp.Chunks {
		out, done, err := j.outcomes(ctx, n)
		if err == nil && !done {
			out, err = j.broken(ctx, sp, n)
		}
		if err != nil {
			return weir.StageRun{}, err
		}
		for _, d := range out {
			if reason, gone := strings.CutPrefix(d.Reply, noAnswer); gone {
				away, why = away+1, reason
			}
			if unpublished && d.Status == string(connectors.Delivered) {
				d.Status = Unknown
			}
			r.Counts["rows_in"]++
			r.Counts[d.Activation+"."+string(d.Op)+"."+d.Status]++
			if d.Status == string(connectors.Delivered) {
				r.Counts["rows_out"]++
			} else {
				r.Status = Partial
			}
			if err := deliveries.Write(d); err != nil {
				return weir.StageRun{}, err
			}
			if byActivation[d.Activation] == nil {
				byActivation[d.Activation] = &delivered{change: map[string]*weir.DeliveryState{}, keyOwner: map[string]string{}}
			}
			byActivation[d.Activation].add(d)
		}
	}
	if away > 0 {
		r.Problem = fmt.Sprintf("the destination took some rows and then went away, %d have no answer: %s; the next run sends them again", away, why)
	}
	files, err := deliveries.Close()
	if err != nil {
		return weir.StageRun{}, err
	}
	r.Tables = append(r.Tables, weir.TableFiles{Table: "activation.deliveries", Files: files})
	for _, a := range slices.Sorted(maps.Keys(byActivation)) {
		state, err := j.foldState(ctx, a, byActivation[a])
		if err != nil {
			return weir.StageRun{}, err
		}
		r.Tables = append(r.Tables, weir.TableFiles{Table: "activation.state", Scope: a, Replace: true, Files: state})
	}
	return j.commit(ctx, r)
}

// delivered is what deliveries of one activation change of what is held, as they come:
// all that is kept of them until they are settled.
type delivered struct {
	change   map[string]*weir.DeliveryState // by profile; nil: nothing is held any more
	keyOwner map[string]string              // profiles, by key
}

func (s *delivered) add(d weir.Delivery) {
	switch {
	case d.Op == weir.Remove && d.Status == string(connectors.Delivered):
		s.change[d.ProfileID] = nil
	case d.Op == weir.Remove || d.Status == string(connectors.Rejected) || d.Status == Stopped:
		// what the destination holds is as it was
	default:
		now := &weir.DeliveryState{Activation: d.Activation, ProfileID: d.ProfileID, DeliveredKey: d.DeliveredKey, Checksum: d.Checksum, DeliveredAt: d.At, Sequence: d.Sequence}
		if d.Status == Unknown {
			now.Checksum = "" // so that the next difference sends it again
		}
		s.change[d.ProfileID] = now
		s.keyOwner[d.DeliveredKey] = d.ProfileID
	}
}

// foldState is what the destination holds after these deliveries.
func (j journal) foldState(ctx context.Context, activation string, out *delivered) ([]weir.DataFile, error) {
	t := schema.Named("activation.state")
	snap, err := j.Lake.Current(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	scopes, err := j.Lake.ByScope(ctx, t.Name, snap.ID)
	if err != nil {
		return nil, err
	}
	w, err := rowfile.NewTableWriter[weir.DeliveryState](ctx, j.store(), t, activation)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	held, err := inOrder(ctx, j.House, t, scopes[activation])
	if err != nil {
		return nil, err
	}
	return writeState(ctx, j.House, w, t, held, out.change, out.keyOwner)
}

// inOrder puts the files of a scope in the order of their profiles: their names
// are hashes, their ranges don't overlap.
func inOrder(ctx context.Context, h *House, t schema.Table, files []weir.DataFile) ([]weir.DataFile, error) {
	if len(files) < 2 {
		return files, nil
	}
	first := map[string]string{}
	for _, f := range files {
		for row, err := range rowfile.Scan[weir.DeliveryState](ctx, h.store(), t, []weir.DataFile{f}) {
			if err != nil {
				return nil, err
			}
			first[f.Path] = row.ProfileID
			break
		}
	}
	return slices.SortedFunc(slices.Values(files), func(a, b weir.DataFile) int { return strings.Compare(first[a.Path], first[b.Path]) }), nil
}

// writeState merges held rows, sorted by profile, with the changed ones.
func writeState(ctx context.Context, h *House, w *rowfile.TableWriter[weir.DeliveryState], t schema.Table, files []weir.DataFile, change map[string]*weir.DeliveryState, keyOwner map[string]string) ([]weir.DataFile, error) {
	added := slices.Sorted(maps.Keys(change))
	next := 0
	emit := func(upTo string, all bool) error {
		for next < len(added) && (all || added[next] < upTo) {
			if s := change[added[next]]; s != nil {
				if err := w.Write(s.Digested()); err != nil {
					return err
				}
			}
			next++
		}
		return nil
	}
	for held, err := range rowfile.Scan[weir.DeliveryState](ctx, h.store(), t, files) {
		if err != nil {
			return nil, err
		}
		if err := emit(held.ProfileID, false); err != nil {
			return nil, err
		}
		s, touched := change[held.ProfileID]
		if touched {
			if s != nil && s.Sequence < held.Sequence {
				change[held.ProfileID] = &held // settled before
			}
			continue
		}
		if owner := keyOwner[held.DeliveredKey]; owner != "" {
			continue // the key went over to a merged profile
		}
		if held.RowDigest == 0 {
			held = held.Digested()
		}
		if err := w.Write(held); err != nil {
			return nil, err
		}
	}
	if err := emit("", true); err != nil {
		return nil, err
	}
	return w.Close()
}

// discard forgets a settled journal.
func (j journal) discard(ctx context.Context) error {
	var keys []string
	for info, err := range j.store().List(ctx, j.prefix()) {
		if err != nil {
			return err
		}
		if !strings.HasSuffix(info.Key, "/spec.json") {
			keys = append(keys, info.Key)
		}
	}
	// the spec goes last: without it nobody looks at the rest
	if err := j.store().Delete(ctx, keys...); err != nil {
		return err
	}
	return j.store().Delete(ctx, j.key("spec.json"))
}

// settleOthers settles runs to this destination that never ended.
func (a *activate) settleOthers(ctx context.Context, run weir.Run, destination string) error {
	var open []string
	for info, err := range a.store().List(ctx, "journal/"+destination+"/") {
		if err != nil {
			return err
		}
		if strings.HasSuffix(info.Key, "/spec.json") && !strings.Contains(info.Key, "/"+string(run.ID)+"/") {
			open = append(open, info.Key)
		}
	}
	slices.Sort(open)
	for _, key := range open {
		var sp activateSpec
		if err := a.readJSON(ctx, key, &sp); err != nil {
			return err
		}
		j := journal{House: a.House, destination: destination, run: sp.Run.ID}
		if _, err := j.settle(ctx, sp); err != nil {
			return err
		}
		if err := j.discard(ctx); err != nil {
			return err
		}
	}
	return nil
}
