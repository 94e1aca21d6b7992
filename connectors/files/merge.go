package files

import (
	"bufio"
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"

	"github.com/weir-cdp/weir"
)

// mergeWidth is how many parts are read at once.
const mergeWidth = 128

// merge writes all rows of some parts to a file of the destination's format.
// With many parts it merges in rounds, so that few files are open at once.
func (d *destination) merge(ctx context.Context, dir string, parts []string, to string) error {
	for round := 0; len(parts) > mergeWidth; round++ {
		var wider []string
		for i := 0; i < len(parts); i += mergeWidth {
			name := fmt.Sprintf("%d-%d.merged", round, i/mergeWidth)
			err := d.mergeTo(ctx, dir, parts[i:min(i+mergeWidth, len(parts))], path.Join(dir, name), newPartEncoder)
			if err != nil {
				return err
			}
			wider = append(wider, name)
		}
		parts = wider
	}
	return d.mergeTo(ctx, dir, parts, to, func(w io.Writer, s shape) (encoder, error) {
		return newEncoder(d.format, w, s, d.escape)
	})
}

// encoder writes rows in one format.
type encoder interface {
	row(r partRow) error
	close() error
}

func (d *destination) mergeTo(ctx context.Context, dir string, parts []string, to string,
	encode func(io.Writer, shape) (encoder, error)) error {
	var queue readers
	defer func() {
		for _, p := range queue {
			_ = p.f.Close()
		}
	}()
	all := shape{}
	for _, name := range parts {
		f, err := d.folder.open(ctx, path.Join(dir, name), "")
		if err != nil {
			return err
		}
		p, err := newPartReader(f)
		if err != nil {
			_ = f.Close()
			return weir.Errorf(weir.Internal, "%w", err).At(where(d.folder, path.Join(dir, name))).Then("remove the part and run the activation again")
		}
		queue = append(queue, p)
		all.merge(p.shape)
	}
	heap.Init(&queue)
	return d.folder.put(ctx, to, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 64<<10)
		e, err := encode(b, all)
		if err != nil {
			return err
		}
		if err := queue.drain(ctx, e); err != nil {
			return err
		}
		if err := e.close(); err != nil {
			return err
		}
		return b.Flush()
	})
}

// readers is a heap of parts by their next row; parts at their end come last.
type readers []*partReader

func (q readers) Len() int      { return len(q) }
func (q readers) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q readers) Less(i, j int) bool {
	if q[i].over != q[j].over {
		return q[j].over
	}
	return q[i].row.compare(q[j].row) < 0
}

// Push and Pop complete heap.Interface; the heap keeps its size.
func (q *readers) Push(any) {}

// Pop is not used.
func (q *readers) Pop() any { return nil }

// drain gives all rows in order, each idempotency key once.
func (q readers) drain(ctx context.Context, e encoder) error {
	var last partRow
	for n := 0; len(q) > 0 && !q[0].over; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r := q[0].row
		if n == 0 || r.ID != last.ID || r.Key != last.Key || r.Sequence != last.Sequence {
			if err := e.row(r); err != nil {
				return err
			}
		}
		last = r
		if err := q[0].next(); err != nil {
			return weir.Errorf(weir.Internal, "%w", err)
		}
		heap.Fix(&q, 0)
	}
	return nil
}

// partEncoder writes a wider part.
type partEncoder struct{ enc *json.Encoder }

func newPartEncoder(w io.Writer, s shape) (encoder, error) {
	e := partEncoder{json.NewEncoder(w)}
	if err := e.enc.Encode(s); err != nil {
		return nil, fmt.Errorf("part: %w", err)
	}
	return e, nil
}

func (e partEncoder) row(r partRow) error { return e.enc.Encode(r) }
func (e partEncoder) close() error        { return nil }
