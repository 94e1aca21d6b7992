package files

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// readNDJSON reads one object a line.
func readNDJSON(t text, o options, out *out) error {
	l, r := newLines(t.r, o.maxRow), newJSONReader(t, o, out)
	for {
		n, ended, err := l.length()
		switch {
		case errors.Is(err, io.EOF):
			return r.flush()
		case errors.Is(err, errTooLong):
			if err := out.rejectRow(l.number, tooLongRow, l.have()); err != nil {
				return err
			}
			if err := l.skip(); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if line := chomp(l.buf[l.start : l.start+n]); len(bytes.TrimSpace(line)) > 0 {
			if err := r.row(line, l.number); err != nil {
				return err
			}
		}
		if ended {
			n++
			l.advance(n, 1)
		} else {
			l.advance(n, 0)
		}
	}
}

// jsonReader flattens objects: nested ones to dotted names, lists to JSON text,
// scalars to their exact literals.
type jsonReader struct {
	*flat
	decoded bool
	dec     *jsontext.Decoder
	in      *bytes.Buffer
	path    []byte
}

func newJSONReader(t text, o options, out *out) *jsonReader {
	in := new(bytes.Buffer)
	return &jsonReader{flat: newFlat(o, out), decoded: t.decoded, dec: jsontext.NewDecoder(in), in: in}
}

var (
	errTooDeep   = errors.New("is nested too deep")
	errNotObject = errors.New("is not a JSON object")
	errTrailing  = errors.New("has more after the JSON object")
)

// row takes one object's text; what is wrong with it is a rejection.
func (r *jsonReader) row(row []byte, line int64) error {
	if r.decoded && bytes.Contains(row, replacement) {
		return r.out.rejectRow(line, "the row has bytes that are not in the file's encoding", row)
	}
	err := r.parse(row, jsontext.AllowDuplicateNames(false), r.object)
	if errors.Is(err, jsontext.ErrDuplicateName) {
		// Rare, so the slower way that keeps the last value of each name.
		err = r.parse(row, jsontext.AllowDuplicateNames(true), func(depth int) error {
			n, err := r.tree(depth)
			if err != nil {
				return err
			}
			return r.walk(n)
		})
	}
	if err != nil {
		return r.out.rejectRow(line, jsonReason(err), row)
	}
	return r.end(line, len(row))
}

func jsonReason(err error) string {
	var s *jsontext.SyntacticError
	switch {
	case errors.As(err, &s) && s.Err != nil:
		return "the row is not JSON: " + strings.TrimPrefix(s.Err.Error(), "jsontext: ")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the row is not JSON: it ends too early"
	}
	return "the row " + strings.TrimPrefix(err.Error(), "the file ")
}

func (r *jsonReader) parse(row []byte, duplicates jsontext.Options, object func(depth int) error) error {
	r.begin()
	r.path = r.path[:0]
	*r.in = *bytes.NewBuffer(row)
	r.dec.Reset(r.in, duplicates)
	if k := r.dec.PeekKind(); k != '{' {
		if _, err := r.dec.ReadToken(); err != nil {
			return err
		}
		return errNotObject
	}
	if err := object(1); err != nil {
		return err
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// object flattens the object that comes next, below the current path.
func (r *jsonReader) object(depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	base := len(r.path)
	for r.dec.PeekKind() != '}' {
		name, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := r.push(base, name); err != nil {
			return err
		}
		if r.dec.PeekKind() == '{' {
			err = r.object(depth + 1)
		} else {
			err = r.leaf()
		}
		if err != nil {
			return err
		}
	}
	r.path = r.path[:base]
	_, err := r.dec.ReadToken()
	return err
}

// push appends a quoted name to the first base bytes of the path.
func (r *jsonReader) push(base int, quoted []byte) (err error) {
	r.path = r.path[:base]
	if base > 0 {
		r.path = append(r.path, '.')
	}
	before := len(r.path)
	if r.path, err = jsontext.AppendUnquote(r.path, quoted); err != nil {
		return err
	}
	if len(r.path) == before || bytes.IndexByte(r.path[before:], 0) >= 0 {
		return errors.New("has an empty name, or one with a NUL")
	}
	return nil
}

// leaf takes the scalar or list that comes next as the value at the path.
func (r *jsonReader) leaf() error {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	return r.value(raw)
}

func (r *jsonReader) value(raw jsontext.Value) (err error) {
	start := len(r.scratch)
	switch raw.Kind() {
	case 'n':
		return r.set(r.path, start, true)
	case '"':
		r.scratch, err = jsontext.AppendUnquote(r.scratch, raw)
	case '[':
		if bytes.ContainsAny(raw, " \t\r\n") {
			raw = slices.Clone(raw)
			err = raw.Compact()
		}
		r.scratch = append(r.scratch, raw...)
	default:
		r.scratch = append(r.scratch, raw...)
	}
	if err != nil {
		return err
	}
	return r.set(r.path, start, false)
}

// member is one name of an object with its value: an object or a raw text.
type member struct {
	name   []byte // quoted
	object []member
	isTree bool
	raw    jsontext.Value
}

// tree reads the object that comes next; of repeated names the last value stays,
// at the first one's place.
func (r *jsonReader) tree(depth int) ([]member, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	var out []member
	at := map[string]int{}
	for r.dec.PeekKind() != '}' {
		name, err := r.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		m := member{name: slices.Clone(name)}
		if r.dec.PeekKind() == '{' {
			m.isTree = true
			m.object, err = r.tree(depth + 1)
		} else if m.raw, err = r.dec.ReadValue(); err == nil {
			m.raw = m.raw.Clone()
		}
		if err != nil {
			return nil, err
		}
		plain, err := jsontext.AppendUnquote(nil, name)
		if err != nil {
			return nil, err
		}
		if i, ok := at[string(plain)]; ok {
			out[i] = m
			continue
		}
		at[string(plain)] = len(out)
		out = append(out, m)
	}
	_, err := r.dec.ReadToken()
	return out, err
}

func (r *jsonReader) walk(object []member) error {
	base := len(r.path)
	for _, m := range object {
		if err := r.push(base, m.name); err != nil {
			return err
		}
		var err error
		if m.isTree {
			err = r.walk(m.object)
		} else {
			err = r.value(m.raw)
		}
		if err != nil {
			return err
		}
	}
	r.path = r.path[:base]
	return nil
}
