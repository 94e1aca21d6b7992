package connectors

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
)

// SettingError is one setting that is wrong. Path leads to it from the map that
// was validated ("types", "quantity"; list items by their index), so that the
// project's loader can find its line.
type SettingError struct {
	Path    []string
	Message string
	Next    string // what to do; may be empty
}

// Error implements error: "a.b: message; next".
func (e *SettingError) Error() string {
	s := strings.Join(e.Path, ".") + ": " + e.Message
	if e.Next != "" {
		s += "; " + e.Next
	}
	return s
}

// ParseSettings checks raw values, as YAML or JSON gave them, against fields and
// returns them with the Go types that FieldType names, defaults filled in. All
// faults are returned, in the order of fields, then unknown keys by name; with
// any, the settings are nil.
//
// Numbers, booleans and durations may also be strings, since that is what
// ${env:NAME} gives; a string must be a string, since YAML changes what it takes
// for a number ("01000").
func ParseSettings(fields []Field, raw map[string]any) (Settings, []*SettingError) {
	p := settingsParser{}
	s := p.object(nil, fields, raw)
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	return s, nil
}

// Nearest returns the known name closest to name, "" if none is near enough to
// be what was meant. Ties go to the first in alphabetical order.
func Nearest(name string, known []string) string {
	sorted := append([]string(nil), known...)
	sort.Strings(sorted)
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, k := range sorted {
		d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k))
		if d < bestDistance && d < len(k) {
			best, bestDistance = k, d
		}
	}
	return best
}

type settingsParser struct{ errs []*SettingError }

func (p *settingsParser) fail(path []string, next, format string, args ...any) {
	p.errs = append(p.errs, &SettingError{
		Path: append([]string(nil), path...), Message: fmt.Sprintf(format, args...), Next: next})
}

func (p *settingsParser) object(path []string, fields []Field, raw map[string]any) Settings {
	out := Settings{}
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		names = append(names, f.Name)
	}
	misspelt := misspelt(names, raw)
	for _, f := range fields {
		at := append(path[:len(path):len(path)], f.Name)
		v, ok := raw[f.Name]
		switch {
		case ok && v != nil:
			if parsed, ok := p.value(at, f, v); ok {
				out[f.Name] = parsed
			}
		case f.Required && misspelt[f.Name]: // told of below
		case f.Required:
			next := ""
			if f.Example != "" {
				next = "for example `" + f.Name + ": " + f.Example + "`"
			}
			p.fail(at, next, "missing: %s", strings.TrimSuffix(f.Description, "."))
		case f.Default != nil:
			if parsed, ok := p.value(at, f, f.Default); ok {
				out[f.Name] = parsed
			}
		}
	}
	p.unknown(path, names, raw)
	return out
}

// misspelt are the names that unknown keys are nearest to.
func misspelt(names []string, raw map[string]any) map[string]bool {
	out := map[string]bool{}
	for k := range raw {
		if !slices.Contains(names, k) {
			out[Nearest(k, names)] = true
		}
	}
	return out
}

func (p *settingsParser) unknown(path, names []string, raw map[string]any) {
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	var extra []string
	for k := range raw {
		if !known[k] {
			extra = append(extra, k)
		}
	}
	sort.Strings(extra)
	for _, k := range extra {
		next := "known keys: " + strings.Join(names, ", ")
		if n := Nearest(k, names); n != "" {
			next = "did you mean " + n + "?"
		} else if len(names) == 0 {
			next = "no key is known here"
		}
		p.fail(append(path[:len(path):len(path)], k), next, "unknown key %q", k)
	}
}

func (p *settingsParser) value(at []string, f Field, v any) (any, bool) {
	switch f.Type {
	case String:
		return p.text(at, f.Enum, v)
	case Int:
		n, ok := asInt(v)
		return n, ok || p.wrong(at, "a whole number", v)
	case Float:
		x, ok := asFloat(v)
		return x, ok || p.wrong(at, "a number", v)
	case Bool:
		b, ok := asBool(v)
		return b, ok || p.wrong(at, "true or false", v)
	case Span:
		d, ok := asSpan(v)
		return d, ok || p.wrong(at, "a duration like 30s, 15m, 2h or 7d", v)
	case Strings:
		return p.list(at, f.Enum, v)
	case Map:
		return p.texts(at, f.Enum, v)
	case Object:
		m, ok := asMap(v)
		if !ok {
			return nil, p.wrong(at, "a mapping of keys to values", v)
		}
		before := len(p.errs)
		s := p.object(at, f.Fields, m)
		return s, len(p.errs) == before
	}
	p.fail(at, "", "field type %q is not one that connectors have", f.Type)
	return nil, false
}

// wrong reports a value of another type; it never shows the value, which may be
// a secret.
func (p *settingsParser) wrong(at []string, want string, v any) bool {
	p.fail(at, "", "must be %s, not %s", want, kindOf(v))
	return false
}

func (p *settingsParser) text(at, enum []string, v any) (string, bool) {
	s, ok := v.(string)
	if !ok {
		p.fail(at, "put it in quotes", "must be a string, not %s", kindOf(v))
		return "", false
	}
	if len(enum) == 0 {
		return s, true
	}
	for _, e := range enum {
		if s == e {
			return s, true
		}
	}
	next := ""
	if n := Nearest(s, enum); n != "" {
		next = "did you mean " + n + "?"
	}
	p.fail(at, next, "must be one of %s, not %q", strings.Join(enum, ", "), s)
	return "", false
}

func (p *settingsParser) list(at, enum []string, v any) ([]string, bool) {
	if s, ok := v.([]string); ok {
		v = anys(s)
	}
	items, ok := v.([]any)
	if !ok {
		return nil, p.wrong(at, "a list of strings", v)
	}
	out, good := make([]string, 0, len(items)), true
	for i, item := range items {
		s, ok := p.text(append(at[:len(at):len(at)], strconv.Itoa(i)), enum, item)
		out, good = append(out, s), good && ok
	}
	return out, good
}

func (p *settingsParser) texts(at, enum []string, v any) (map[string]string, bool) {
	if m, ok := v.(map[string]string); ok {
		return m, true
	}
	m, ok := asMap(v)
	if !ok {
		return nil, p.wrong(at, "a mapping of names to strings", v)
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out, good := make(map[string]string, len(m)), true
	for _, k := range keys {
		s, ok := p.text(append(at[:len(at):len(at)], k), enum, m[k])
		out[k], good = s, good && ok
	}
	return out, good
}
