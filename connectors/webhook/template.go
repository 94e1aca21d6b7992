package webhook

import (
	"bytes"
	"encoding/json"
	"text/template"
	"unicode/utf8"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

// templated makes the body by the configuration's template. Values are JSON
// literals as they print, so that no value can break out of its place.
type templated struct {
	t      *template.Template
	single bool
	json   bool // the body must be JSON
}

// literal is a value as JSON; the zero value prints as null and is false in
// {{if}}. So is what was null.
type literal string

// String implements fmt.Stringer for {{.Fields.name}}.
func (l literal) String() string {
	if l == "" {
		return "null"
	}
	return string(l)
}

// plain is a literal's text without quotes, "" of null.
func plain(l literal) (string, error) {
	if l == "" || l[0] != '"' {
		return string(l), nil
	}
	var s string
	err := json.Unmarshal([]byte(l), &s)
	return s, err
}

type templateBatch struct {
	Activation literal
	RunID      literal
	Class      literal // of rows that are to be kept apart by it
	Rows       []templateRow
}

type templateRow struct {
	Activation     literal
	RunID          literal
	Class          literal
	Op             string // add, update or remove
	Removal        bool
	Key            literal
	IdempotencyKey literal
	Sequence       int64
	Fields         map[string]literal
}

func newTemplated(text string, single, isJSON bool) (*templated, error) {
	t, err := template.New("template").Option("missingkey=zero").Funcs(template.FuncMap{"text": plain}).Parse(text)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the template can't be parsed: %w", err).Then("correct template; see pkg.go.dev/text/template")
	}
	m := &templated{t: t, single: single, json: isJSON}
	return m, m.try()
}

// try makes the body of samples: an addition that lacks all fields, and a
// removal.
func (m *templated) try() error {
	samples := []permit.Row{
		{Op: weir.Add, Key: "sample@example.org", IdempotencyKey: "sample-1", Sequence: 1},
		{Op: weir.Remove, Key: "other@example.org", IdempotencyKey: "sample-2", Sequence: 2},
	}
	sets := [][]permit.Row{samples, samples[:1], samples[1:]}
	if m.single {
		sets = sets[1:]
	}
	for _, rows := range sets {
		var b bytes.Buffer
		if err := m.write(&b, permit.Batch{}, rows); err != nil {
			return err
		}
		if m.json && !json.Valid(b.Bytes()) {
			return weir.Errorf(weir.Invalid, "the template makes no JSON for a sample %s: %s", rows[0].Op, shorten(b.String(), 200)).
				Then("values print as JSON with their quotes, so put none around them; or set the header Content-Type")
		}
	}
	return nil
}

// sends tries a row that holds this field alone.
func (m *templated) sends(field string) bool {
	const mark = "weir-looks-for-this"
	row := permit.Row{Op: weir.Add, Key: "sample@example.org", IdempotencyKey: "sample-1", Sequence: 1, Fields: []permit.Field{{Name: field, Value: mark}}}
	var b bytes.Buffer
	return m.write(&b, permit.Batch{}, []permit.Row{row}) == nil && bytes.Contains(b.Bytes(), []byte(mark))
}

func (m *templated) write(to *bytes.Buffer, batch permit.Batch, rows []permit.Row) error {
	data := templateBatch{Activation: newLiteral(batch.Activation()), RunID: newLiteral(string(batch.Run().ID))}
	if class := classOf(batch); class != "" {
		data.Class = newLiteral(class)
	}
	for _, r := range rows {
		x := templateRow{Activation: data.Activation, RunID: data.RunID, Class: data.Class, Op: string(r.Op), Removal: r.Op == weir.Remove,
			Key: newLiteral(r.Key), IdempotencyKey: newLiteral(r.IdempotencyKey), Sequence: r.Sequence, Fields: map[string]literal{}}
		for _, f := range r.Fields {
			if f.Value != nil && !x.Removal {
				x.Fields[f.Name] = newLiteral(f.Value)
			}
		}
		data.Rows = append(data.Rows, x)
	}
	var root any = data
	if m.single {
		root = data.Rows[0]
	}
	if err := m.t.Execute(to, root); err != nil {
		return weir.Errorf(weir.Invalid, "the template fails: %w", err).Then("correct template")
	}
	return nil
}

func newLiteral(v any) literal { return literal(appendValue(nil, v)) }

// shorten cuts a text to so many bytes, between letters.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const mark = "…"
	cut := most - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}
