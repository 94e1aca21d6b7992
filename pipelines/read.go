package pipelines

import (
	"context"
	"iter"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/pipelines/scratch"
)

// Read returns all rows that were sent to this partition on a channel, in an
// order that depends on the input alone: by the task that wrote them, then as
// written. A channel that nobody wrote to is empty.
func Read[T any](ctx context.Context, t *Task, channel string) ([]T, error) {
	rows := make([]T, 0, Sent(t, channel))
	for _, r := range t.in[channel] {
		group, err := readRef[T](ctx, t, r)
		if err != nil {
			return nil, err
		}
		rows = append(rows, group...)
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
