package rowfile

import (
	"context"
	"iter"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Scan yields the rows of files in order, holding one row group in memory. A
// column that an older file lacks is zero, one that it has in a narrower type
// widens. A row is the caller's to keep. It ends after the first error.
func Scan[T any](ctx context.Context, s *object.Store, t schema.Table, files []weir.DataFile) iter.Seq2[T, error] {
	return scan[T](ctx, s, t, files, nil, nil, nil)
}

// ScanGroup yields the rows of one row group of a file.
func ScanGroup[T any](ctx context.Context, s *object.Store, t schema.Table, f weir.DataFile, group int) iter.Seq2[T, error] {
	return scan[T](ctx, s, t, []weir.DataFile{f}, []int{group}, nil, nil)
}

func scan[T any](ctx context.Context, s *object.Store, t schema.Table, files []weir.DataFile, groups []int, want func(string) bool, choose func(*View, []bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		l, err := layoutOf(reflect.TypeFor[T](), t)
		if err != nil {
			yield(zero, err)
			return
		}
		d := newDecoder[T](l)
		d.lent = choose != nil
		wants := func(c string) bool { return (want == nil || want(c)) && d.wants(c) }
		var chosen []bool
		for rec, err := range readFiles(ctx, s, files, wants, groups) {
			if err == nil && choose != nil {
				chosen = append(chosen[:0], make([]bool, rec.NumRows())...)
				err = choose(&View{rec}, chosen)
			}
			if err == nil {
				err = d.use(rec)
			}
			if err != nil {
				yield(zero, err)
				return
			}
			for i := range int(rec.NumRows()) {
				if choose != nil && !chosen[i] {
					continue
				}
				row, err := d.decode(i)
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// ScanArrow yields the batches of files in order, with the named columns (nil:
// all) that each file has. A batch is valid until the next step: Retain it to
// keep it.
func ScanArrow(ctx context.Context, s *object.Store, files []weir.DataFile, columns []string) iter.Seq2[arrow.RecordBatch, error] {
	return readFiles(ctx, s, files, among(columns), nil)
}

// ScanArrowGroup yields the batches of one row group of a file.
func ScanArrowGroup(ctx context.Context, s *object.Store, f weir.DataFile, columns []string, group int) iter.Seq2[arrow.RecordBatch, error] {
	return readFiles(ctx, s, []weir.DataFile{f}, among(columns), []int{group})
}

func among(columns []string) func(string) bool {
	if columns == nil {
		return nil
	}
	return func(c string) bool { return slices.Contains(columns, c) }
}
