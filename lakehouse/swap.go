package lakehouse

import (
	"context"

	"github.com/weir-cdp/weir"
)

// Swap is files of one scope that become others, written by the caller.
type Swap struct {
	From []string // object keys
	To   []weir.DataFile
}

// Swap puts files in the place of others in one commit that is maintenance, no
// run's. A swap of which some file is no longer there is left out: its scope has
// been replaced meanwhile. Nothing to do makes no snapshot.
func (l *Lake) Swap(ctx context.Context, name string, swaps []Swap) (Snapshot, error) {
	merges := make([]merge, len(swaps))
	for i, s := range swaps {
		merges[i] = merge{from: s.From, to: s.To}
	}
	unlock, err := l.lock(ctx, name)
	if err != nil {
		return Snapshot{}, err
	}
	defer unlock()
	var out Snapshot
	err = l.retry(ctx, "rewrite files of", name, func() (retriable bool, err error) {
		out, retriable, err = l.commitMerges(ctx, name, merges)
		return retriable, err
	})
	return out, err
}
