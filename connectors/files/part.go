package files

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

// partRow is a row as a part file holds it, one JSON object a line.
type partRow struct {
	Key      string      `json:"key"`
	Sequence int64       `json:"seq"`
	ID       string      `json:"id"` // the idempotency key
	Op       weir.Op     `json:"op"`
	Fields   []partField `json:"fields"` // sorted by name
}

type partField struct {
	Name string `json:"n"`
	Kind kind   `json:"k"`
	Text string `json:"t,omitempty"`
}

// kind is the kind of a value that is sent.
type kind string

const (
	kindNull    kind = "null"
	kindText    kind = "text"
	kindInt     kind = "int"
	kindDecimal kind = "decimal"
	kindBool    kind = "bool"
	kindTime    kind = "time"
)

func (r partRow) compare(s partRow) int {
	return cmp.Or(strings.Compare(r.Key, s.Key), cmp.Compare(r.Sequence, s.Sequence), strings.Compare(r.ID, s.ID))
}

func newPartRow(r permit.Row) (partRow, error) {
	p := partRow{Key: r.Key, Sequence: r.Sequence, ID: r.IdempotencyKey, Op: r.Op}
	for _, f := range r.Fields {
		if f.Name == "_op" || f.Name == "_key" {
			return p, fmt.Errorf("a field may not be named %s", f.Name)
		}
		v, err := newPartField(f)
		if err != nil {
			return p, err
		}
		p.Fields = append(p.Fields, v)
	}
	slices.SortFunc(p.Fields, func(a, b partField) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

func newPartField(f permit.Field) (partField, error) {
	p := partField{Name: f.Name}
	switch v := f.Value.(type) {
	case nil:
		p.Kind = kindNull
	case string:
		p.Kind, p.Text = kindText, strings.ToValidUTF8(v, "\uFFFD")
	case int64:
		p.Kind, p.Text = kindInt, strconv.FormatInt(v, 10)
	case permit.Decimal:
		if p.Kind, p.Text = kindDecimal, string(v); !plainDecimal(p.Text) {
			p.Kind = kindText
		}
	case bool:
		p.Kind, p.Text = kindBool, strconv.FormatBool(v)
	case time.Time:
		if y := v.UTC().Year(); y < 0 || y > 9999 { // RFC 3339 has none
			return p, fmt.Errorf("field %s has a time that can't be written: its year has no four digits", f.Name)
		}
		p.Kind, p.Text = kindTime, v.UTC().Format(time.RFC3339Nano)
	default:
		return p, fmt.Errorf("field %s has a value of type %T, which can't be written", f.Name, f.Value)
	}
	return p, nil
}

func plainDecimal(s string) bool {
	whole, fraction, dot := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return whole != "" && digits(whole) && digits(fraction) && dot == (fraction != "")
}

// shape is what a part's rows hold: its first line.
type shape map[string]*fieldShape

// fieldShape is what is known of one field over many rows.
type fieldShape struct {
	Kinds []kind `json:"kinds"` // sorted, without null
	Whole int    `json:"whole"` // most digits before the point
	Scale int    `json:"scale"` // and after
}

func (s shape) add(f partField) {
	x := s[f.Name]
	if x == nil {
		x = &fieldShape{}
		s[f.Name] = x
	}
	if f.Kind == kindNull {
		return
	}
	x.kind(f.Kind)
	if f.Kind == kindInt || f.Kind == kindDecimal {
		whole, fraction, _ := strings.Cut(strings.TrimPrefix(f.Text, "-"), ".")
		x.Whole, x.Scale = max(x.Whole, len(whole)), max(x.Scale, len(fraction))
	}
}

func (x *fieldShape) kind(k kind) {
	if i, found := slices.BinarySearch(x.Kinds, k); !found {
		x.Kinds = slices.Insert(x.Kinds, i, k)
	}
}

func (s shape) merge(t shape) {
	for _, name := range sortedNames(t) {
		x := s[name]
		if x == nil {
			x = &fieldShape{}
			s[name] = x
		}
		for _, k := range t[name].Kinds {
			x.kind(k)
		}
		x.Whole, x.Scale = max(x.Whole, t[name].Whole), max(x.Scale, t[name].Scale)
	}
}

// one is the kind of a column that holds all its values.
func (x *fieldShape) one() kind {
	switch {
	case len(x.Kinds) == 1 && x.Kinds[0] == kindDecimal, slices.Equal(x.Kinds, []kind{kindDecimal, kindInt}):
		if x.Whole+x.Scale <= 38 {
			return kindDecimal
		}
	case len(x.Kinds) == 1:
		return x.Kinds[0]
	}
	return kindText
}

func writePart(w io.Writer, rows []partRow) error {
	s := shape{}
	for _, r := range rows {
		for _, f := range r.Fields {
			s.add(f)
		}
	}
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("part: %w", err)
	}
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("part: %w", err)
		}
	}
	return b.Flush()
}

// partReader reads a part's rows in order.
type partReader struct {
	f     io.Closer
	dec   *json.Decoder
	shape shape
	row   partRow
	over  bool
}

func newPartReader(f file) (*partReader, error) {
	p := &partReader{f: f, dec: json.NewDecoder(bufio.NewReaderSize(f, 32<<10))}
	if err := p.dec.Decode(&p.shape); err != nil {
		return nil, fmt.Errorf("part: %w", err)
	}
	return p, p.next()
}

func (p *partReader) next() error {
	p.row = partRow{}
	err := p.dec.Decode(&p.row)
	if errors.Is(err, io.EOF) {
		p.over = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("part: %w", err)
	}
	return nil
}
