package conform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
)

// stream is a compiled stream: everything that mapping one of its rows needs. It
// is safe for concurrent use.
type stream struct {
	StreamParams
	index   int
	columns []mapping.Column
	program *mapping.Program
	context standard.Context
	secret  []byte

	identifiers []standard.Func // by program.Identifiers
	attributes  []standard.Func // by program.Attributes
	dates       []bool          // which attributes are calendar days
	country     int             // of program.Attributes; -1: none
	personal    []bool          // which key parts are hashed
	own         ownColumns
	read        []int
}

// ownColumns are the indexes of the columns that collect adds; -1: none.
type ownColumns struct{ rowID, collectedAt, origin, op int }

func decode(spec *pipelines.Spec) (Params, error) {
	var p Params
	if err := json.Unmarshal(spec.Params, &p); err != nil {
		return p, weir.Errorf(weir.Internal, "decode the parameters of conform: %w", err)
	}
	return p, nil
}

// newStream compiles a stream over its raw table.
func newStream(index int, p StreamParams, raw schema.Table, now time.Time, secret string) (*stream, error) {
	loc, err := location(p.Mapping)
	if err != nil {
		return nil, err
	}
	m := p.Mapping
	s := &stream{StreamParams: p, index: index, columns: Columns(raw), country: -1, secret: []byte(secret),
		context: standard.Context{Region: m.DefaultRegion, Location: loc, Now: now}}
	context := s.context
	s.program, err = mapping.Compile(m, s.columns, mapping.Options{
		Date: func(text string) (string, error) { return standard.Date(text, &context) },
		Time: func(text string) (time.Time, bool, error) { return standard.Instant(text, &context) },
	})
	if err != nil {
		return nil, err
	}
	for _, id := range s.program.Identifiers {
		s.identifiers = append(s.identifiers, standard.Identifier(id.Name))
	}
	for i, a := range s.program.Attributes {
		t := m.AttributeTypes[a.Name]
		s.attributes = append(s.attributes, standard.Attribute(a.Name, t))
		s.dates = append(s.dates, t == weir.Date || a.Name == "birth_date" || a.Name == "date_of_birth")
		if a.Name == "country" {
			s.country = i
		}
	}
	for _, k := range m.Key {
		s.personal = append(s.personal, slices.Contains(m.PersonalKey, k))
	}
	s.own = ownColumns{s.column(schema.RowID), s.column(schema.CollectedAt), s.column(schema.Origin), s.column(schema.RowOp)}
	s.read = slices.Clone(s.program.Read())
	for _, i := range []int{s.own.rowID, s.own.collectedAt, s.own.origin, s.own.op} {
		if i >= 0 {
			s.read = append(s.read, i)
		}
	}
	slices.Sort(s.read)
	s.read = slices.Compact(s.read)
	return s, nil
}

func (s *stream) column(name string) int {
	return slices.IndexFunc(s.columns, func(c mapping.Column) bool { return c.Name == name })
}

// names lists the columns that the stream reads.
func (s *stream) names() []string {
	out := make([]string, len(s.read))
	for i, c := range s.read {
		out[i] = s.columns[c].Name
	}
	return out
}

// id makes a row's id of its key; ok is false where a part is missing.
func (s *stream) id(row mapping.Row) (id string, ok bool) {
	var parts [8]string
	key := parts[:0]
	for i, c := range s.program.Key {
		part := row.Value(c).String()
		if part == "" {
			return "", false
		}
		if s.personal[i] {
			part = s.hash(part)
		}
		key = append(key, part)
	}
	return weir.RecordID(s.Mapping.Source, s.Mapping.Stream, key), true
}

// keyless names the key's columns that a row has nothing in.
func (s *stream) keyless(row mapping.Row) string {
	var out []string
	for i, c := range s.program.Key {
		if row.Value(c).String() == "" {
			out = append(out, s.Mapping.Key[i])
		}
	}
	return strings.Join(out, ", ") + " is empty"
}

// hash replaces a personal key by a keyed hash: equal keys stay equal, and who
// lacks the workspace's secret can't tell whose they are (invariant 10).
func (s *stream) hash(part string) string {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(part))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// excerpt is what the quarantine shows of a bad value: up to 200 bytes.
func excerpt(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most]
	}
	return strings.Clone(strings.ToValidUTF8(s, "")) // the batch it is of goes
}

// streams compiles the streams of a spec, once a process.
func streams(t *pipelines.Task) ([]*stream, error) {
	return pipelines.Shared(t, "conform streams", func() ([]*stream, error) {
		p, err := decode(t.Spec())
		if err != nil {
			return nil, err
		}
		var out []*stream
		for i, sp := range p.Streams {
			raw, ok := t.Spec().Schemas[sp.RawTable]
			if !ok {
				return nil, weir.Errorf(weir.Internal, "the spec has no schema for the stream's raw table").At(sp.RawTable)
			}
			secret := ""
			if len(sp.Mapping.PersonalKey) > 0 {
				if secret, err = t.Secret(SecretName); err != nil {
					return nil, err
				}
			}
			s, err := newStream(i, sp, raw, t.Spec().Run.Now, secret)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		return out, nil
	})
}
