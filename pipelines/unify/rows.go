package unify

import (
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
)

// recordRow is a record on its way to its profile. Maps become sorted lists, so
// that a scratch file's bytes are fixed.
type recordRow struct {
	Profile    string
	ID         string
	Kind       string
	Source     string
	Stream     string
	ObservedAt int64    // microseconds since 1970
	Names      []string // of attributes
	Values     []string
	Kinds      []string // of identifiers, one a value
	Held       []string
}

func rowOf(r *weir.Record) recordRow {
	row := recordRow{ID: r.ID, Kind: string(r.Kind), Source: r.Source, Stream: r.Stream, ObservedAt: r.ObservedAt.UnixMicro()}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		if v := r.Attributes[name]; v != "" {
			row.Names, row.Values = append(row.Names, name), append(row.Values, v)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Identifiers)) {
		for _, v := range r.Identifiers[kind] {
			row.Kinds, row.Held = append(row.Kinds, kind), append(row.Held, v)
		}
	}
	return row
}

// record undoes rowOf, keeping the attributes that have a column.
func (row *recordRow) record(columns map[string]bool) weir.Record {
	r := weir.Record{
		ID: row.ID, Kind: weir.Kind(row.Kind), Source: row.Source, Stream: row.Stream,
		ObservedAt: time.UnixMicro(row.ObservedAt).UTC(),
		Attributes: make(map[string]string, len(row.Names)), Identifiers: weir.Identifiers{},
	}
	for i, name := range row.Names {
		if columns[name] {
			r.Attributes[name] = row.Values[i]
		}
	}
	for i, kind := range row.Kinds {
		r.Identifiers.Add(kind, row.Held[i])
	}
	return r
}

// linkRow says which profile a record belongs to.
type linkRow struct {
	Record  string
	Profile string
}

// ownerRow is an identifier's value that leads to a profile.
type ownerRow struct {
	Profile string
	Kind    string
	Value   string
}
