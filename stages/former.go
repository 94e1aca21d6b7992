package stages

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// formerScope is where a raw table of consents keeps the rows that its source no
// longer tells; no connector's scope is called so.
const formerScope = "*former"

// formerRows is the count of those that a sync moved there.
const formerRows = "former_rows"

// keepFormer moves the rows of a consent stream that a full read would lose into a
// scope of their own, with the operation `former`: that somebody said no is not
// undone by an export that lacks the row (conform keeps what of them restricts). A
// row whose key was read again is told anew, and not kept. A reset forgets all, once
// everything could be read.
func (c *collect) keepFormer(ctx context.Context, sp collectSpec, r *result, done []landed) error {
	if len(sp.ConsentKey) == 0 {
		return nil
	}
	if _, failed := firstFailure(done); sp.Drop && failed == 0 {
		r.Tables = append(r.Tables, weir.TableFiles{Table: sp.Table, Scope: formerScope, Replace: true})
		return nil
	}
	snap, err := c.Lake.Current(ctx, sp.Table)
	if err != nil {
		return err
	}
	held, err := c.Lake.ByScope(ctx, sp.Table, snap.ID)
	if err != nil {
		return err
	}
	var leaving, coming []weir.DataFile
	for _, t := range r.Tables {
		if t.Table != sp.Table {
			continue
		}
		coming = append(coming, t.Files...)
		if name, _, _ := strings.Cut(t.Scope, "@"); t.Replace {
			leaving = append(leaving, held[name]...)
		}
	}
	leaving = slices.DeleteFunc(leaving, func(f weir.DataFile) bool {
		return slices.ContainsFunc(coming, func(o weir.DataFile) bool { return o.Path == f.Path })
	})
	if len(leaving) == 0 {
		return nil
	}
	told, err := c.keysOf(ctx, sp.ConsentKey, coming)
	if err != nil {
		return err
	}
	kept := weir.TableFiles{Table: sp.Table, Scope: formerScope, Replace: true, Files: held[formerScope]}
	for _, f := range leaving {
		files, err := c.former(ctx, sp, f, told)
		if err != nil {
			return err
		}
		kept.Files = append(kept.Files, files...)
		r.Counts[formerRows] += rowCount(files)
	}
	if r.Counts[formerRows] == 0 {
		delete(r.Counts, formerRows)
		return nil
	}
	r.Tables = append(r.Tables, kept)
	return nil
}

// rowKey names a row by its key's values; ok is false where one is missing.
type rowKey [16]byte

func keyAt(columns []arrow.Array, row int) (k rowKey, ok bool) {
	h := sha256.New()
	for _, c := range columns {
		if c == nil || c.IsNull(row) {
			return k, false
		}
		v := c.ValueStr(row)
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(v)))
		h.Write(n[:])
		h.Write([]byte(v))
	}
	copy(k[:], h.Sum(nil))
	return k, true
}

func keyColumns(rec arrow.RecordBatch, key []string) []arrow.Array {
	out := make([]arrow.Array, len(key))
	for i, name := range key {
		if at := indexOf(rec.Schema(), name); at >= 0 {
			out[i] = rec.Column(at)
		}
	}
	return out
}

func (c *collect) keysOf(ctx context.Context, key []string, files []weir.DataFile) (map[rowKey]bool, error) {
	out := map[rowKey]bool{}
	for rec, err := range rowfile.ScanArrow(ctx, c.store(), files, nil) {
		if err != nil {
			return nil, err
		}
		columns := keyColumns(rec, key)
		for row := range int(rec.NumRows()) {
			if k, ok := keyAt(columns, row); ok {
				out[k] = true
			}
		}
	}
	return out, nil
}

// former writes the rows of a file that are not told any more. A deletion that the
// source had sent needs no keeping: what it deleted is read with it, or is former.
func (c *collect) former(ctx context.Context, sp collectSpec, f weir.DataFile, told map[rowKey]bool) ([]weir.DataFile, error) {
	t, err := c.Lake.Describe(ctx, sp.Table)
	if err != nil {
		return nil, err
	}
	var w *rowfile.ArrowWriter
	for rec, err := range rowfile.ScanArrow(ctx, c.store(), []weir.DataFile{f}, nil) {
		if err != nil {
			return nil, err
		}
		if w == nil {
			if w, err = rowfile.NewArrowWriter(ctx, c.store(), t, rec.Schema(), formerScope); err != nil {
				return nil, err
			}
			defer w.Abort()
		}
		if err := writeFormer(w, rec, sp.ConsentKey, told); err != nil {
			return nil, err
		}
	}
	if w == nil {
		return nil, nil
	}
	return w.Close()
}

func writeFormer(w *rowfile.ArrowWriter, rec arrow.RecordBatch, key []string, told map[rowKey]bool) error {
	columns, ops := keyColumns(rec, key), indexOf(rec.Schema(), schema.RowOp)
	gone := func(row int) bool {
		k, ok := keyAt(columns, row)
		return ok && !told[k] && (ops < 0 || rec.Column(ops).ValueStr(row) != opDelete)
	}
	for from, n := 0, int(rec.NumRows()); from < n; {
		if !gone(from) {
			from++
			continue
		}
		to := from + 1
		for to < n && gone(to) {
			to++
		}
		if err := writeSpan(w, rec, ops, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// writeSpan writes some rows with the operation `former`.
func writeSpan(w *rowfile.ArrowWriter, rec arrow.RecordBatch, ops, from, to int) error {
	cols := make([]arrow.Array, rec.NumCols())
	for i := range cols {
		if i == ops {
			cols[i] = texts(to-from, len(opFormer), func(b []byte, _ int) []byte { return append(b, opFormer...) })
		} else {
			cols[i] = array.NewSlice(rec.Column(i), int64(from), int64(to))
		}
		defer cols[i].Release()
	}
	span := array.NewRecordBatch(rec.Schema(), cols, int64(to-from))
	defer span.Release()
	return w.Write(span)
}
