package rowfile

import (
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// RowGroup is a row group of a file, of which no column is read yet.
type RowGroup struct {
	Rows  int
	Group int

	file   *fileReader
	opened []*Leaf
}

// ScanGroups yields row groups (nil: all) of a file. One is valid until the next step,
// and so are the leaves that it opens.
func ScanGroups(ctx context.Context, s *object.Store, f weir.DataFile, groups []int) iter.Seq2[*RowGroup, error] {
	return func(yield func(*RowGroup, error) bool) {
		r, err := openFile(ctx, s, f)
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.close()
		for i := range r.pq.NumRowGroups() {
			if groups != nil && !slices.Contains(groups, i) {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			g := &RowGroup{Rows: int(r.pq.RowGroup(i).NumRows()), Group: i, file: r}
			goOn := yield(g, nil)
			g.close()
			if !goOn {
				return
			}
		}
	}
}

func (g *RowGroup) close() {
	for _, l := range g.opened {
		_ = l.pages.Close() // gives memory back, no more
	}
	g.opened = nil
}

// Leaves opens leaf columns by their paths, such as "identifiers.key_value.key". odd:
// one is missing, of another type than a text, a moment in microseconds or a number of
// 64 bits, or encoded in another way than this package's writers do it; then read the
// group as Arrow.
func (g *RowGroup) Leaves(paths ...string) (out []*Leaf, odd bool, err error) {
	rows, ps := g.file.pq.RowGroup(g.Group), g.file.pq.MetaData().Schema
	var at []int
	for _, path := range paths {
		i := ps.ColumnIndexByName(path)
		if i < 0 {
			return nil, true, nil
		}
		chunk, err := rows.MetaData().ColumnChunk(i)
		if err != nil {
			return nil, false, g.file.failed(err)
		}
		if !readable(ps.Column(i), chunk) {
			return nil, true, nil
		}
		at = append(at, i)
	}
	for _, i := range at {
		pages, err := rows.GetColumnPageReader(i)
		if err != nil {
			return nil, false, g.file.failed(err)
		}
		c := ps.Column(i)
		l := &Leaf{file: g.file, pages: pages, ints: c.PhysicalType() == parquet.Types.Int64, lists: listLevels(c),
			maxDef: uint8(c.MaxDefinitionLevel()), maxRep: c.MaxRepetitionLevel()}
		g.opened, out = append(g.opened, l), append(out, l)
	}
	return out, false, nil
}

// readable says whether a Leaf can read a chunk.
func readable(c *schema.Column, chunk *metadata.ColumnChunkMetaData) bool {
	switch c.PhysicalType() {
	case parquet.Types.ByteArray:
	case parquet.Types.Int64:
		if t, ok := c.LogicalType().(schema.TimestampLogicalType); ok && t.TimeUnit() != schema.TimeUnitMicros {
			return false
		}
	default:
		return false
	}
	for _, e := range chunk.Encodings() {
		if !slices.Contains(leafEncodings, e) {
			return false
		}
	}
	return chunk.CryptoMetadata() == nil && c.MaxRepetitionLevel() < 8 && c.MaxDefinitionLevel() < 8
}

var leafEncodings = []parquet.Encoding{parquet.Encodings.Plain, parquet.Encodings.RLE, parquet.Encodings.RLEDict, parquet.Encodings.PlainDict}
