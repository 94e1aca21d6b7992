package project

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

func (l *loader) source(r *reader, name string, root *yaml.Node) {
	s := Source{Name: name, At: r.at(root)}
	var config, streams *yaml.Node
	r.object(root, keys{
		"connector": r.text(&s.Connector),
		"config":    func(n *yaml.Node) { config = n; s.Config, _ = r.value(n).(map[string]any) },
		"schedule":  r.schedule(&s.Schedule),
		"streams":   func(n *yaml.Node) { streams = n },
	})
	l.noteKeys(r, "source "+name, root)
	c, ok := l.connector(r, root, s.Connector, func(c connectors.Connector) bool { return c.OpenSource != nil }, "be read from")
	if ok {
		l.settings(r, orElse(config, root), c.Config, s.Config)
	}
	if name == "weir" {
		r.problem(root, "rename the file", "weir is the source of what is recorded by hand (weir consent record)")
	}
	if strings.Contains(name, "__") {
		r.problem(root, "rename the file", "a source's name can't contain __, which separates it from the stream in a table's name")
	}
	if streams == nil || len(streams.Content) == 0 {
		r.lacks("streams", root, "list what to read under streams:", "a source without streams")
		return
	}
	r.each(streams, func(k, v *yaml.Node) {
		if !nameForm.MatchString(k.Value) || strings.Contains(k.Value, "__") {
			r.problem(k, "", "a stream's name has small letters, digits and single _, a letter first; found %q", k.Value)
			return
		}
		st := l.stream(r, name, k, v, c)
		s.Streams = append(s.Streams, st)
	})
	slices.SortFunc(s.Streams, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	l.p.Sources = append(l.p.Sources, s)
}

func orElse(n, other *yaml.Node) *yaml.Node {
	if n == nil {
		return other
	}
	return n
}

var everyForm = regexp.MustCompile(`^every (\d+[smhdw])$`)

// schedule reads "every 15m" or a cron line of five fields.
func (r *reader) schedule(into *Schedule) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var text string
		r.text(&text)(n)
		if m := everyForm.FindStringSubmatch(text); m != nil {
			d, err := ParseDuration(m[1])
			if err != nil || d < 10*time.Second {
				r.problem(n, "write: every 15m", "a schedule of less than ten seconds")
				return
			}
			into.Every = d
			return
		}
		if fields := strings.Fields(text); len(fields) == 5 && !strings.HasPrefix(text, "every") {
			into.Cron = strings.Join(fields, " ")
			return
		}
		r.problem(n, `write "every 15m" or a cron line such as "0 * * * *"`, "a schedule that can't be read: %q", text)
	}
}

// connector looks a connector up and checks that it can do this.
func (l *loader) connector(r *reader, at *yaml.Node, name string, can func(connectors.Connector) bool, what string) (connectors.Connector, bool) {
	names := slices.Sorted(maps.Keys(l.known))
	if name == "" {
		r.lacks("connector", at, "add connector: "+strings.Join(names, " | "), "no connector named")
		return connectors.Connector{}, false
	}
	c, ok := l.known[name]
	if !ok {
		r.problem(at, didYouMean(name, names), "unknown connector %q", name)
		c, ok = l.known[connectors.Nearest(name, names)] // what was meant, to read its settings
		return c, ok && can(c)
	}
	if !can(c) {
		r.problem(at, "", "%s can't %s", name, what)
		return c, false
	}
	return c, true
}

// settings checks raw settings against a connector's fields, each problem at the
// key that it concerns.
func (l *loader) settings(r *reader, at *yaml.Node, fields []connectors.Field, raw map[string]any) {
	l.secrets(r, at, nil, fields, raw)
	_, problems := connectors.ParseSettings(fields, raw)
	for _, p := range problems {
		if v, ok := valueAt(raw, p.Path).(string); ok && IsReference(v) {
			continue // its value is known only where it runs
		}
		what := p.Message
		if slices.ContainsFunc(fields, func(f connectors.Field) bool { return len(p.Path) > 0 && f.Name == p.Path[0] }) {
			what = strings.Join(p.Path, ".") + ": " + what
		}
		r.problem(locate(at, p.Path), p.Next, "%s", what)
	}
}

// secrets refuses secrets in the open: a project's definitions are stored in the
// lake and kept in git (invariant 10).
func (l *loader) secrets(r *reader, at *yaml.Node, path []string, fields []connectors.Field, raw map[string]any) {
	for _, f := range fields {
		here := append(slices.Clone(path), f.Name)
		switch v := raw[f.Name].(type) {
		case string:
			if f.Secret && !IsReference(v) && !harmless(v) {
				r.problem(locate(at, here), "write ${env:NAME} or ${file:PATH}", "%s holds a secret in the open", strings.Join(here, "."))
			}
		case map[string]any:
			if f.Type == connectors.Object {
				l.secrets(r, at, here, f.Fields, v)
			}
			for name, value := range v {
				if text, ok := value.(string); ok && f.Type == connectors.Map && secretHeader.MatchString(name) && !IsReference(text) {
					r.problem(locate(at, append(here, name)), "write ${env:NAME} or ${file:PATH}", "%s.%s holds a secret in the open", strings.Join(here, "."), name)
				}
			}
		}
	}
}

var secretHeader = regexp.MustCompile(`(?i)^(authorization|proxy-authorization|cookie|.*(api-?key|token|secret|password).*)$`)

// harmless tells whether an address that may hold a password holds none.
func harmless(s string) bool {
	if strings.Contains(strings.ToLower(s), "password") {
		return false
	}
	if u, err := url.Parse(s); err == nil && u.Scheme != "" && u.Host != "" {
		_, secret := u.User.Password()
		return !secret
	}
	return strings.Contains(s, "host=") // a DSN of words, without a password
}

func valueAt(v any, path []string) any {
	for _, part := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[part]
	}
	return v
}

// locate finds the node of a path, or the nearest one above it.
func locate(n *yaml.Node, path []string) *yaml.Node {
	for _, part := range path {
		next := (*yaml.Node)(nil)
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == part {
				next = n.Content[i+1]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func (l *loader) stream(r *reader, source string, k, v *yaml.Node, c connectors.Connector) Stream {
	s := Stream{Name: k.Value, At: r.at(k), Settings: map[string]any{}}
	m := &s.Mapping
	m.Source, m.Stream, m.DefaultRegion, m.Timezone = source, s.Name, l.p.DefaultRegion, l.p.Timezone
	var mapped *yaml.Node
	known := keys{
		"sync": func(n *yaml.Node) {
			r.object(n, keys{"mode": r.oneOf(&s.Mode, "full", "incremental"), "cursor": r.text(&s.Cursor)})
			if s.Mode == "incremental" && s.Cursor == "" && needsCursor(c) {
				r.problem(n, "add cursor: COLUMN", "incremental needs a cursor")
			}
		},
		"key":   r.texts(&m.Key),
		"as":    r.oneOf(&m.As, "person", "account", "event", "consent"),
		"map":   func(n *yaml.Node) { mapped = n },
		"where": r.text(&m.Where),
		"types": r.textMap(&s.Types),

		"may_be_empty": r.boolean(&s.MayBeEmpty),
	}
	for _, f := range c.Stream {
		known[f.Name] = func(n *yaml.Node) { s.Settings[f.Name] = r.value(n) }
	}
	r.object(v, known)
	l.settings(r, v, c.Stream, s.Settings)
	for col, t := range s.Types {
		if !columnType.MatchString(t) {
			r.problem(v, "one of int, decimal(12,2), float, boolean, date, timestamp, text", "unknown type %q of column %s", t, col)
		}
	}
	if m.As == "" {
		r.lacks("as", k, "add as: person | account | event | consent", "stream %s does not say what its rows are", s.Name)
		return s
	}
	if len(m.Key) == 0 {
		r.lacks("key", k, "add key: [COLUMN]", "stream %s has no key", s.Name)
	}
	if mapped == nil {
		r.lacks("map", k, "add map: with identifiers and attributes", "stream %s has no map", s.Name)
		return s
	}
	r.mapping(m, mapped)
	return s
}

func needsCursor(c connectors.Connector) bool { return c.Name != "files" }

var columnType = regexp.MustCompile(`^(int|float|boolean|date|timestamp|text|decimal\(\d{1,2},\s*\d{1,2}\))$`)

// mappingFields are the keys of a map beside identifiers, attributes and properties.
var mappingFields = map[string]struct{ allowed, required []string }{
	"person":  {allowed: []string{"observed_at"}},
	"account": {allowed: []string{"observed_at"}},
	"event":   {allowed: []string{"name", "occurred_at", "received_at"}, required: []string{"name", "occurred_at"}},
	"consent": {allowed: []string{"purpose", "channel", "action", "basis", "explicit", "jurisdiction", "occurred_at", "recorded_at", "expires_at", "proof", "method", "actor", "notice", "notice_hash", "raw_signal"},
		required: []string{"action", "occurred_at"}},
}

func (r *reader) mapping(m *weir.Mapping, n *yaml.Node) {
	m.Fields = map[string]string{}
	form := mappingFields[m.As]
	known := keys{"identifiers": r.textMap(&m.Identifiers)}
	switch m.As {
	case "person", "account":
		known["attributes"] = r.textMap(&m.Attributes)
	case "event":
		known["properties"] = r.textMap(&m.Properties)
	}
	for _, f := range form.allowed {
		known[f] = func(v *yaml.Node) {
			if s, ok := r.scalar(v); ok {
				m.Fields[f] = s.Value
			}
		}
	}
	r.object(n, known)
	for _, f := range form.required {
		if m.Fields[f] == "" {
			r.lacks(f, n, fmt.Sprintf("add %s: COLUMN or a CEL expression", f), "a map of %s needs %s", m.As, f)
		}
	}
	if len(m.Identifiers) == 0 {
		r.lacks("identifiers", n, "add identifiers: {email: COLUMN}", "without identifiers nobody can be recognised")
	}
	for k := range m.Identifiers {
		if !nameForm.MatchString(k) {
			r.problem(locate(n, []string{"identifiers"}), "", "an identifier's kind has small letters, digits and _; found %q", k)
		}
	}
	if m.As == "person" || m.As == "account" {
		// An identifier is also an attribute, so that survivorship chooses the one
		// by which somebody is best reached, and analysts find it as a column.
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		for k, v := range m.Identifiers {
			if _, own := m.Attributes[k]; !own {
				m.Attributes[k] = v
			}
		}
	}
	for k := range m.Attributes {
		if !nameForm.MatchString(k) {
			r.problem(locate(n, []string{"attributes"}), "", "an attribute's name has small letters, digits and _; found %q", k)
		}
		if slices.Contains(reservedColumns, k) {
			r.problem(locate(n, []string{"attributes"}), "rename it", "attribute %q is a column of every profile", k)
		}
	}
}

// reservedColumns are the fixed columns of core.records and core.profiles.
var reservedColumns = []string{"record_id", "kind", "source", "stream", "observed_at", "identifiers", "profile_id", "first_seen_at", "last_seen_at", "records"}
