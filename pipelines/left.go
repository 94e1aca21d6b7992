package pipelines

import (
	"context"
	"unsafe"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/scratch"
)

// leftRow is what Leave wraps.
type leftRow struct{ Data string }

// Leave stores bytes under a key, compressed and with a checksum, for runs to come:
// Sweep does not touch them. Leaving the same again does no harm.
func Leave(t *Task, key string, data []byte) error {
	e, err := scratch.NewEncoder[leftRow]()
	if err != nil {
		return err
	}
	row := leftRow{unsafe.String(unsafe.SliceData(data), len(data))} // no longer than here
	b := e.Block(nil, e.Append(nil, &row), 1)
	return t.rt.store.PutChecked(t.ctx, key, b)
}

// Left reads what Leave stored; damage is an error.
func Left(ctx context.Context, read func(ctx context.Context, key string) ([]byte, error), key string) (string, error) {
	b, err := read(ctx, key)
	if err != nil {
		return "", err
	}
	rows, err := scratch.Decode[leftRow](b)
	if err != nil {
		return "", weir.Errorf(weir.CodeOf(err), "%w", err).At(key)
	}
	if len(rows) != 1 {
		return "", weir.Errorf(weir.Internal, "this was not left by a run").At(key)
	}
	return rows[0].Data, nil
}
