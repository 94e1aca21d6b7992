package policies

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// shapesPath declares what the data files hold; its head explains the language.
const shapesPath = "schemas/data.yaml"

// shape is what a place in a data file may hold.
type shape struct {
	Needed   bool             `yaml:"needed"`
	Type     string           `yaml:"type"`
	Enum     []string         `yaml:"enum"`
	Minimum  *int64           `yaml:"minimum"`
	Maximum  *int64           `yaml:"maximum"`
	Items    *shape           `yaml:"items"`
	MinItems int              `yaml:"min_items"`
	Keys     map[string]shape `yaml:"keys"`
	Required []string         `yaml:"required"`
	Each     *shape           `yaml:"each"`
	KeysOf   string           `yaml:"keys_of"`
	ValueOf  string           `yaml:"value_of"`
}

// parseShapes reads a declaration; an unknown word in it is an error.
func parseShapes(b []byte) (map[string]shape, error) {
	var out map[string]shape
	if _, err := document(shapesPath, b); err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	if err := dec.Decode(&out); err != nil {
		return nil, yamlError(shapesPath, err)
	}
	return out, nil
}

// declared gives the shapes of the policy's data: its own, or those of the built-in
// policy for a folder that was copied before there were any.
func (f *files) declared() (shapes map[string]shape, own bool, err error) {
	if f.shapes != nil {
		shapes, err = parseShapes(f.shapes)
		return shapes, true, err
	}
	b, err := fs.ReadFile(Builtin(), shapesPath)
	if err != nil {
		return nil, false, weir.Errorf(weir.Internal, "%w", err)
	}
	shapes, err = parseShapes(b)
	return shapes, false, err
}

// checkData says where the data files are not as declared.
func (f *files) checkData() error {
	shapes, own, err := f.declared()
	if err != nil {
		return err
	}
	c := &shapeCheck{files: f}
	for _, name := range sorted(shapes) {
		if _, there := f.data[name]; !there && shapes[name].Needed && !f.broken[name] {
			c.add("data/"+name+".yaml", 0, "take it from the built-in policy", "the file is missing")
		}
	}
	for _, p := range sorted(f.nodes) {
		name := dataName(p)
		s, known := shapes[name]
		switch {
		case known:
			c.path = p
			c.file(s, f.nodes[p])
		case own:
			c.path = p
			c.add(p, 1, nearest(name, sorted(shapes))+" Or declare it in "+shapesPath, "no rule knows data called %s", name)
		}
	}
	return errors.Join(c.found...)
}

// shapeCheck gathers what is wrong with one data file after the other.
type shapeCheck struct {
	files *files
	path  string
	found []error
}

func (c *shapeCheck) add(path string, line int, next, format string, args ...any) {
	where := path
	if line > 0 {
		where = at(path, line)
	}
	c.found = append(c.found, weir.Errorf(weir.Invalid, format, args...).At(where).Then(next))
}

func (c *shapeCheck) problem(n *yaml.Node, next, format string, args ...any) {
	c.add(c.path, n.Line, next, format, args...)
}

func (c *shapeCheck) file(s shape, doc *yaml.Node) {
	root := doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) > 0 {
		root = doc.Content[0]
	}
	if s.Type == "" {
		s.Type = "map"
	}
	empty := root.Kind == 0 || root.Kind == yaml.ScalarNode && root.Tag == "!!null" || root.Kind == yaml.MappingNode && len(root.Content) == 0
	if !empty {
		c.value(s, dataName(c.path), root)
	} else if s.Needed {
		c.add(c.path, 1, "take it from the built-in policy", "the file is empty")
	}
}

// value checks one value; name is its key, for messages.
func (c *shapeCheck) value(s shape, name string, n *yaml.Node) {
	kind := s.Type
	switch {
	case kind != "":
	case s.Keys != nil || s.Each != nil:
		kind = "map"
	case s.Items != nil:
		kind = "list"
	default:
		kind = "text"
	}
	switch kind {
	case "map":
		c.mapping(s, name, n)
	case "list":
		c.list(s, name, n)
	default:
		c.scalar(s, kind, name, n)
	}
}

func (c *shapeCheck) mapping(s shape, name string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		c.problem(n, "write it as {key: value}", "%s is not keys with values", name)
		return
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		seen = append(seen, k.Value)
		if names, ok := c.names(s.KeysOf); ok && !slices.Contains(names, k.Value) {
			c.problem(k, nearest(k.Value, names), "%s is not in data/%s.yaml", k.Value, s.KeysOf)
			continue
		}
		inner, known := s.Keys[k.Value]
		switch {
		case known:
			c.value(inner, k.Value, v)
		case s.Each != nil:
			c.value(*s.Each, k.Value, v)
		default:
			c.problem(k, nearest(k.Value, sorted(s.Keys)), "%s has no key %s", name, k.Value)
		}
	}
	for _, r := range s.Required {
		if !slices.Contains(seen, r) {
			c.problem(n, "", "%s has no %s", name, r)
		}
	}
}

func (c *shapeCheck) list(s shape, name string, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		c.problem(n, "write it as [a, b]", "%s is not a list", name)
		return
	}
	if len(n.Content) < s.MinItems {
		c.problem(n, "add what is missing, or take the whole key out", "%s has fewer than %d entries", name, s.MinItems)
	}
	if s.Items == nil {
		return
	}
	for _, v := range n.Content {
		c.value(*s.Items, name, v)
	}
}

// tags are those of YAML, by our types.
var tags = map[string]string{"integer": "!!int", "boolean": "!!bool", "text": "!!str"}

// remedies for what is of another kind; yes and no are texts (YAML 1.2).
var remedies = map[string]string{"integer": "write a whole number without quotes", "boolean": "write true or false, without quotes", "text": "write it in quotes"}

func (c *shapeCheck) scalar(s shape, kind, name string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Tag != tags[kind] {
		c.problem(n, remedies[kind], "%s is no %s: %s", name, kind, shown(n))
		return
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, n.Value) {
		c.problem(n, nearest(n.Value, s.Enum), "%s can't be %s", name, n.Value)
	}
	if names, ok := c.names(s.ValueOf); ok && !slices.Contains(names, n.Value) {
		c.problem(n, nearest(n.Value, names), "%s %s is not in data/%s.yaml", name, n.Value, s.ValueOf)
	}
	if kind != "integer" {
		return
	}
	i, err := strconv.ParseInt(n.Value, 0, 64)
	switch {
	case err != nil:
		c.problem(n, remedies[kind], "%s is no integer: %s", name, n.Value)
	case s.Minimum != nil && i < *s.Minimum:
		c.problem(n, fmt.Sprintf("write a number from %d on", *s.Minimum), "%s is %d, less than %d", name, i, *s.Minimum)
	case s.Maximum != nil && i > *s.Maximum:
		c.problem(n, fmt.Sprintf("write a number up to %d", *s.Maximum), "%s is %d, more than %d", name, i, *s.Maximum)
	}
}

func shown(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return "a value of several parts"
}

// names gives the keys of another data file; ok is false where there is none.
func (c *shapeCheck) names(of string) ([]string, bool) {
	if of == "" {
		return nil, false
	}
	m, ok := c.files.data[of].(map[string]any)
	return sorted(m), ok
}
