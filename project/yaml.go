package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir/connectors"
)

// reader walks one YAML file's nodes and notes each problem with its place.
type reader struct {
	file     string
	problems *Problems
	reads    func(words []string) // is told of the keys and words that are known
	// misspelt are the keys that an unknown one was taken for, or whose value can't be
	// read: that they are missing is the same mistake.
	misspelt map[string]bool
}

func (r *reader) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d:%d", r.file, n.Line, n.Column) }

func (r *reader) problem(n *yaml.Node, next, format string, args ...any) {
	*r.problems = append(*r.problems, Problem{Where: r.at(n), Message: fmt.Sprintf(format, args...), Next: next})
}

var yamlLine = regexp.MustCompile(`(?:: |^)line (\d+)(?:: |$)`)

// YAMLFault gives the line, from 1, and the words of an error of the YAML decoder.
// It counts lines from 0 where its parser fails, and from 1 where its scanner does.
func YAMLFault(err error) (line int, message string) {
	line, message = 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatchIndex(message); m != nil {
		line, _ = strconv.Atoi(message[m[2]:m[3]])
		message = message[:m[0]] + message[m[1]:]
		if strings.HasPrefix(message, "did not find expected") {
			line++
		}
	}
	return line, message
}

func (r *reader) invalid(err error) {
	line, message := YAMLFault(err)
	*r.problems = append(*r.problems, Problem{Where: r.file + ":" + strconv.Itoa(line), Message: "invalid YAML: " + message,
		Next: "check the indentation and the quotes there, and in the line before"})
}

// parse reads the one document of a file; nil if it can't be used.
func (r *reader) parse(data []byte) *yaml.Node {
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
		}
		r.invalid(err)
		return nil
	}
	// A first key that is indented more than the next one ends the document there.
	if err := dec.Decode(&second); err == nil {
		r.problem(&second, "keep one document a file", "a second YAML document")
	} else if !errors.Is(err, io.EOF) {
		r.invalid(err)
		return nil
	}
	root := doc.Content[0]
	if a := alias(root); a != nil { // an alias of an alias of … is a bomb
		r.problem(a, "write the value out", "anchors and aliases are not understood")
		return nil
	}
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	}
	if root.Kind != yaml.MappingNode {
		r.problem(root, "", "expected keys with values")
		return nil
	}
	return root
}

func alias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	for _, c := range n.Content {
		if a := alias(c); a != nil {
			return a
		}
	}
	return nil
}

// keys maps each known key to what reads its value.
type keys map[string]func(*yaml.Node)

// object reads a mapping with exactly these keys.
func (r *reader) object(n *yaml.Node, known keys) {
	r.reads(slices.Sorted(maps.Keys(known)))
	r.each(n, func(k, v *yaml.Node) {
		read, ok := known[k.Value]
		if !ok {
			names := slices.Sorted(maps.Keys(known))
			r.problem(k, didYouMean(k.Value, names), "unknown key %q", k.Value)
			r.mistake(connectors.Nearest(k.Value, names))
			return
		}
		before := len(*r.problems)
		read(v)
		if len(*r.problems) > before {
			r.mistake(k.Value)
		}
	})
}

func (r *reader) mistake(key string) {
	if r.misspelt == nil {
		r.misspelt = map[string]bool{}
	}
	r.misspelt[key] = true
}

// lacks notes that a key is missing, unless it is there misspelt.
func (r *reader) lacks(key string, n *yaml.Node, next, format string, args ...any) {
	if !r.misspelt[key] {
		r.problem(n, next, format, args...)
	}
}

// each calls f for every pair of a mapping, after refusing repeated keys.
func (r *reader) each(n *yaml.Node, f func(k, v *yaml.Node)) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.problem(n, "", "expected keys with values, found %s", kindName(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			r.problem(k, "write it out", "only plain keys are understood")
			continue
		}
		if seen[k.Value] {
			r.problem(k, "remove one of them", "key %q appears twice", k.Value)
			continue
		}
		seen[k.Value] = true
		f(k, v)
	}
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(n.Value)
	}
}

func (r *reader) scalar(n *yaml.Node) (*yaml.Node, bool) {
	if n.Kind != yaml.ScalarNode {
		r.problem(n, "", "expected one value, found %s", kindName(n))
		return nil, false
	}
	return n, true
}

// text reads a scalar as it is written.
func (r *reader) text(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if s, ok := r.scalar(n); ok && s.Tag != "!!null" {
			*into = s.Value
		}
	}
}

// oneOf reads one of these words.
func (r *reader) oneOf(into *string, words ...string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.reads(words)
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		if !slices.Contains(words, s.Value) {
			r.problem(s, didYouMean(s.Value, words), "unknown value %q", s.Value)
			*into = connectors.Nearest(s.Value, words) // the rest is read as what was meant: one slip, one problem
			return
		}
		*into = s.Value
	}
}

func (r *reader) boolean(into *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		if s.Value != "true" && s.Value != "false" {
			r.problem(s, "", "expected true or false, found %q", s.Value)
			return
		}
		*into = s.Value == "true"
	}
}

func (r *reader) integer(into *int, atLeast int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		i, err := strconv.Atoi(s.Value)
		if err != nil || i < atLeast {
			r.problem(s, "", "expected a whole number of at least %d, found %q", atLeast, s.Value)
			return
		}
		*into = i
	}
}

// texts reads a list of scalars; a single scalar is a list of one.
func (r *reader) texts(into *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			if n.Tag != "!!null" {
				*into = []string{n.Value}
			}
			return
		}
		if n.Kind != yaml.SequenceNode {
			r.problem(n, "", "expected a list, found %s", kindName(n))
			return
		}
		out := make([]string, 0, len(n.Content))
		for _, c := range n.Content {
			if s, ok := r.scalar(c); ok {
				out = append(out, s.Value)
			}
		}
		*into = out
	}
}

// textMap reads keys with scalar values.
func (r *reader) textMap(into *map[string]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = map[string]string{}
		r.each(n, func(k, v *yaml.Node) {
			if s, ok := r.scalar(v); ok {
				(*into)[k.Value] = s.Value
			}
		})
	}
}

func (r *reader) duration(into *time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		d, err := ParseDuration(s.Value)
		if err != nil {
			r.problem(s, "write it like 30d, 12h or 15m", "%v", err)
			return
		}
		*into = d
	}
}

var span = regexp.MustCompile(`^(\d+)(s|m|h|d|w)$`)

// ParseDuration reads 90s, 15m, 12h, 30d or 2w; a day has 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	m := span.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is not a span of time", s)
	}
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	n, err := strconv.ParseInt(m[1], 10, 64)
	const century = 100 * 366 * 24 * time.Hour
	if err != nil || n > int64(century/unit) {
		return 0, fmt.Errorf("%q is longer than a hundred years", s)
	}
	if n == 0 {
		return 0, fmt.Errorf("%q is no time at all", s)
	}
	return time.Duration(n) * unit, nil
}

// value reads any YAML as plain data: map[string]any, []any, string, int64,
// float64, bool or nil.
func (r *reader) value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		r.each(n, func(k, v *yaml.Node) { m[k.Value] = r.value(v) })
		return m
	case yaml.SequenceNode:
		l := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			l = append(l, r.value(c))
		}
		return l
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return i
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}
