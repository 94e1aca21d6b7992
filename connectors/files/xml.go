package files

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/weir-cdp/weir"
)

// rowPath says which elements are rows: names from the root, or from anywhere.
type rowPath []string // "" first: anywhere

// parseRowPath reads `//optin`, `optin`, `//a/optin` or `/optins/a/optin`.
func parseRowPath(s string) (rowPath, error) {
	if s == "" {
		return nil, nil
	}
	rest, anywhere := strings.CutPrefix(s, "//")
	if !anywhere {
		rest, anywhere = strings.TrimPrefix(s, "/"), !strings.HasPrefix(s, "/")
	}
	names := strings.Split(rest, "/")
	for _, n := range names {
		if n == "" || strings.ContainsAny(n, "*@[]()| \t.") {
			return nil, weir.Errorf(weir.Invalid, "row %q is not a path of element names", s).Then("write it like //optin or /optins/optin")
		}
	}
	if anywhere {
		names = append([]string{""}, names...)
	}
	return names, nil
}

// matches compares with the names of the open elements.
func (p rowPath) matches(open []string) bool {
	names := p
	if p[0] == "" {
		if names = p[1:]; len(open) < len(names) {
			return false
		}
		open = open[len(open)-len(names):]
	}
	if len(open) != len(names) {
		return false
	}
	for i := range names {
		if open[i] != names[i] {
			return false
		}
	}
	return true
}

// tokenLimit ends a read when one token takes more bytes than allowed.
type tokenLimit struct {
	r         io.Reader
	left, max int64
}

func (t *tokenLimit) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, errTooLong
	}
	n, err := t.r.Read(p[:min(int64(len(p)), 64<<10)])
	t.left -= int64(n)
	return n, err
}

// readXML takes the elements at the row path. Attributes and child elements
// become columns, nested ones with dotted names, repeated ones JSON text.
func readXML(t text, o options, out *out) error {
	if !t.decoded { // bytes that are not UTF-8 cost their row, not the file
		t.r = transform.NewReader(t.r, unicode.UTF8.NewDecoder())
	}
	limit := &tokenLimit{r: t.r, left: o.maxRow, max: o.maxRow}
	d := xml.NewDecoder(limit)
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded before
	r := &xmlReader{flat: newFlat(o, out), d: d, limit: limit, path: o.row, maxRow: o.maxRow}
	any, err := r.read()
	if err != nil {
		return r.explain(err)
	}
	if !any {
		return nil // an empty file has no rows
	}
	return r.flush()
}

type xmlReader struct {
	*flat
	d      *xml.Decoder
	limit  *tokenLimit
	path   rowPath
	maxRow int64
	open   []string
}

func (r *xmlReader) token() (xml.Token, error) {
	r.limit.left = r.limit.max
	t, err := r.d.Token()
	if d, ok := t.(xml.Directive); ok && bytes.ContainsAny(d, "[") {
		return nil, weir.Errorf(weir.Invalid, "declares entities or a document type of its own, which is refused").
			Then("write the file without an internal DTD")
	}
	return t, err
}

func (r *xmlReader) line() int64 {
	line, _ := r.d.InputPos()
	return int64(line)
}

func (r *xmlReader) explain(err error) error {
	var known *weir.Error
	var syntax *xml.SyntaxError
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, errTooLong):
		return weir.Errorf(weir.Invalid, "line %d: one tag or text is longer than the limit", r.line()).Then("raise max_row_bytes if the file is right; none of its rows were taken")
	case errors.As(err, &syntax) && strings.HasPrefix(syntax.Msg, "invalid character entity"):
		return weir.Errorf(weir.Invalid, "line %d: an entity other than the five of XML is refused", syntax.Line).Then("write the character itself; none of the file's rows were taken")
	case errors.As(err, &syntax):
		return weir.Errorf(weir.Invalid, "line %d: is not XML: %s", syntax.Line, syntax.Msg).Then("correct the file; none of its rows were taken")
	}
	return err
}

// read goes through the document; any says that it has an element.
func (r *xmlReader) read() (any bool, err error) {
	for {
		line := r.line()
		t, err := r.token()
		if errors.Is(err, io.EOF) && len(r.open) == 0 {
			return any, nil
		}
		if err != nil {
			return any, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			any = true
			if r.open = append(r.open, t.Name.Local); len(r.open) > 1000 {
				return any, weir.Errorf(weir.Invalid, "line %d: elements are nested too deep", line).Then("correct the file")
			}
			if !r.path.matches(r.open) {
				continue
			}
			if err := r.row(t, line); err != nil {
				return any, err
			}
			r.open = r.open[:len(r.open)-1]
		case xml.EndElement:
			r.open = r.open[:len(r.open)-1]
		}
	}
}

// element is one element of a row.
type element struct {
	name     string
	attrs    []xml.Attr
	children []*element
	text     []byte
}

func (r *xmlReader) row(start xml.StartElement, line int64) error {
	from := r.d.InputOffset()
	e, bad, err := r.element(start, 1, from)
	if err != nil {
		return err
	}
	size := r.d.InputOffset() - from
	if bad == "" {
		r.begin()
		if err := r.flatten(e, nil); err != nil {
			bad = "the row " + strings.TrimPrefix(err.Error(), "the file ")
		} else if bytes.Contains(r.scratch, replacement) {
			bad = "the row has bytes that are not in the file's encoding"
		}
	}
	if bad != "" {
		return r.out.rejectRow(line, bad, nil)
	}
	return r.end(line, int(size))
}

// element reads to the end of start. When bad is set the row is passed over.
func (r *xmlReader) element(start xml.StartElement, depth int, from int64) (e *element, bad string, err error) {
	e = &element{name: start.Name.Local, attrs: start.Copy().Attr}
	if depth > maxDepth {
		bad = "the row is nested too deep"
		return e, bad, r.d.Skip()
	}
	for {
		t, err := r.token()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = &xml.SyntaxError{Msg: "unexpected EOF", Line: int(r.line())}
			}
			return nil, "", err
		}
		if bad == "" && r.d.InputOffset()-from > r.maxRow {
			bad, e.children, e.text = tooLongRow, nil, nil
		}
		switch t := t.(type) {
		case xml.StartElement:
			child, childBad, err := r.element(t, depth+1, from)
			if err != nil {
				return nil, "", err
			}
			if bad == "" {
				bad = childBad
				e.children = append(e.children, child)
			}
		case xml.EndElement:
			return e, bad, nil
		case xml.CharData:
			if bad == "" {
				e.text = append(e.text, t...)
			}
		}
	}
}

// flatten sets the row's columns from an element at a path.
func (r *xmlReader) flatten(e *element, path []byte) error {
	for _, a := range e.attrs {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		if err := r.put(join(path, a.Name.Local), a.Value); err != nil {
			return err
		}
	}
	if text := bytes.TrimSpace(e.text); len(e.children) == 0 && (len(path) > 0 || len(text) > 0) {
		name := path
		if len(path) == 0 {
			name = []byte("text") // of the row's own element
		}
		start := len(r.scratch)
		r.scratch = append(r.scratch, text...)
		if err := r.set(name, start, len(text) == 0); err != nil {
			return err
		}
	}
	repeats := map[string]int{}
	for _, c := range e.children {
		repeats[c.name]++
	}
	for _, c := range e.children {
		name := join(path, c.name)
		switch n := repeats[c.name]; {
		case n == 1:
			if err := r.flatten(c, name); err != nil {
				return err
			}
		case n > 1:
			repeats[c.name] = 0 // once for all of them
			list, err := listText(e.children, c.name)
			if err != nil {
				return err
			}
			if err := r.put(name, list); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *xmlReader) put(path []byte, value string) error {
	start := len(r.scratch)
	r.scratch = append(r.scratch, value...)
	return r.set(path, start, false)
}

func join(path []byte, name string) []byte {
	if len(path) == 0 {
		return []byte(name)
	}
	return fmt.Appendf(nil, "%s.%s", path, name)
}

// listText gives all children of a name as a JSON list.
func listText(children []*element, name string) (string, error) {
	var list []any
	for _, c := range children {
		if c.name == name {
			list = append(list, c.plain())
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(list); err != nil {
		return "", fmt.Errorf("has no JSON text: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

// plain gives an element as a text or, with attributes or children, as an object.
func (e *element) plain() any {
	text := string(bytes.TrimSpace(e.text))
	if len(e.attrs) == 0 && len(e.children) == 0 {
		return text
	}
	out := map[string]any{}
	for _, a := range e.attrs {
		out[a.Name.Local] = a.Value
	}
	for _, c := range e.children {
		switch old := out[c.name].(type) {
		case nil:
			out[c.name] = c.plain()
		case []any:
			out[c.name] = append(old, c.plain())
		default:
			out[c.name] = []any{old, c.plain()}
		}
	}
	if len(e.children) == 0 && text != "" {
		out["text"] = text
	}
	return out
}
