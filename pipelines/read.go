package pipelines

import (
	"context"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/pipelines/scratch"
)

// Read returns all rows that were sent to this partition on a channel, in an
// order that depends on the input alone: by the task that wrote them, then as
// written. A channel that nobody wrote to is empty.
func Read[T any](ctx context.Context, t *Task, channel string) ([]T, error) {
	refs := t.in[channel]
	rows := make([]T, Sent(t, channel))
	// A task that has a step to itself would decode on one processor else.
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	to := 0
	for _, r := range refs {
		part := rows[to : to+r.Rows]
		to += r.Rows
		t.result.Sent.Read += r.Bytes
		g.Go(func() error {
			block, err := t.rt.rows.ReadRange(ctx, r.Key, r.Offset, r.Bytes)
			if err != nil {
				return err
			}
			if err := scratch.DecodeTo(part, block); err != nil {
				return weir.Errorf(weir.CodeOf(err), "%w", err).At(r.Key)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return rows, nil
}

// Sent is how many rows were sent to this partition on a channel.
func Sent(t *Task, channel string) (rows int) {
	for _, r := range t.in[channel] {
		rows += r.Rows
	}
	return rows
}

// Stream is Read with one block in memory at a time.
func Stream[T any](ctx context.Context, t *Task, channel string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range t.in[channel] {
			group, err := readRef[T](ctx, t, r)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, row := range group {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

func readRef[T any](ctx context.Context, t *Task, r ref) ([]T, error) {
	block, err := t.rt.rows.ReadRange(ctx, r.Key, r.Offset, r.Bytes)
	if err != nil {
		return nil, err
	}
	t.result.Sent.Read += r.Bytes
	rows, err := scratch.Decode[T](block)
	if err == nil && len(rows) != r.Rows {
		err = weir.Errorf(weir.Internal, "the block has %d rows, its reference says %d", len(rows), r.Rows)
	}
	if err != nil {
		return nil, weir.Errorf(weir.CodeOf(err), "%w", err).At(r.Key)
	}
	return rows, nil
}

// ScanInput reads every row of one of the spec's inputs, from any step: for
// tables small enough to be read by each task, else make the table a source.
func ScanInput[T any](ctx context.Context, t *Task, table string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		d, err := t.table(table)
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		rowfile.Scan[T](ctx, t.rt.store, d, t.rt.spec.Inputs[table])(yield)
	}
}

// ScanFiles reads files of a table of which the spec has the schema, from any step.
func ScanFiles[T any](ctx context.Context, t *Task, table string, files ...weir.DataFile) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		d, err := t.table(table)
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		rowfile.Scan[T](ctx, t.rt.store, d, files)(yield)
	}
}
