package resolve

import (
	"context"
	"fmt"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// heldTogether is up to how many bytes of features a process holds together, so that
// blocks name records in place of carrying what is compared of them: a record is in
// about five blocks. More would not fit beside a pipeline's other work (SlotMemory).
var heldTogether int64 = 256 << 20

// together says whether all features are held together.
func (m *meeting) together() bool { return m.bytes <= heldTogether }

// compared holds all features of a run as read sent them, by the partition of
// scatter and the place in it.
type compared [][]string

// A place is a partition of scatter and, in its lower bits, the number of a record in
// it.
const placeBits = 40

func placeOf(partition, record int) uint64 { return uint64(partition)<<placeBits | uint64(record) }

// at finds the features of a record by its place.
func (c compared) at(place string) (string, error) {
	if len(place) == 8 {
		p := bigEndian(place)
		if part, i := p>>placeBits, p&(1<<placeBits-1); part < uint64(len(c)) && i < uint64(len(c[part])) {
			return c[part][i][1+digestSize:], nil
		}
	}
	return "", weir.Errorf(weir.Internal, "a block names a record of which nothing was sent")
}

// comparedChannel carries what read sent to a partition of scatter.
func comparedChannel(partition int) string { return fmt.Sprintf("compared-%d", partition) }

// passCompared sends the features of a scatter task on: to partition, and to all n
// tasks of score where they hold them together.
func passCompared(t *pipelines.Task, n int, together bool) error {
	channel := comparedChannel(t.Partition())
	for i := 0; together && i < n; i++ {
		if err := t.Pass("features", "score:"+channel, i); err != nil {
			return err
		}
	}
	return t.Pass("features", "partition:"+channel, 0)
}

// allCompared holds all features, once per process.
func allCompared(ctx context.Context, t *pipelines.Task) (compared, error) {
	return pipelines.Shared(t, "compared", func() (compared, error) {
		c := make(compared, max(1, t.Spec().Partitions))
		return c, side(len(c), func(i int) (err error) {
			c[i], err = unpackAll(ctx, t, comparedChannel(i), func(e string) string { return e })
			return err
		})
	})
}

// eachCompared calls f with the kind, digest and features of all records, from several
// goroutines. Who keeps an entry keeps the row that held it.
func eachCompared(ctx context.Context, t *pipelines.Task, f func(entry string)) error {
	met, err := meetings(ctx, t)
	if err != nil {
		return err
	}
	var held compared
	if met.together() {
		if held, err = allCompared(ctx, t); err != nil {
			return err
		}
	}
	return side(max(1, t.Spec().Partitions), func(i int) error {
		if held != nil {
			for _, e := range held[i] {
				f(e)
			}
			return nil
		}
		return each(unpack(ctx, t, comparedChannel(i)), func(e string) error { f(e); return nil })
	})
}
