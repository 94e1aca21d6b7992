package survivorship

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// Names lists the rules; source takes the name of a source.
func Names() []string {
	return []string{"latest", "first", "most_frequent", "most_complete", "longest", "source(NAME)"}
}

// Rules is a compiled weir.Survivorship.
type Rules struct {
	fallback []rule
	fields   map[string][]rule
	groups   []group
	grouped  map[string]bool
	secret   []byte
}

type rule struct {
	name   string // as written
	source string // of source(NAME)
}

type group struct {
	name   string
	fields []string
	rules  []rule
}

// Compile compiles survivorship rules. The secret keys the hashes of values in
// the lineage: a plain hash of a name or birth date could be looked up by trying
// all of them.
func Compile(s weir.Survivorship, secret []byte) (*Rules, error) {
	if errs := Check(s, nil); len(errs) > 0 {
		return nil, errs[0]
	}
	r := &Rules{fields: map[string][]rule{}, grouped: map[string]bool{}, secret: secret}
	r.fallback = parseAll(s.Default)
	if len(r.fallback) == 0 {
		r.fallback = []rule{{name: "latest"}}
	}
	for f, names := range s.Fields {
		r.fields[f] = parseAll(names)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
		g := group{name: name, fields: slices.Sorted(slices.Values(s.Groups[name])), rules: r.of(name)}
		for _, f := range g.fields {
			r.grouped[f] = true
		}
		r.groups = append(r.groups, g)
	}
	return r, nil
}

// of returns the rules of a field or group.
func (r *Rules) of(name string) []rule {
	if rules := r.fields[name]; len(rules) > 0 {
		return rules
	}
	return r.fallback
}

// Check returns everything that is wrong with survivorship rules: an unknown
// rule, a field in two groups, a field with rules of its own inside a group, and
// (where attributes is given) a name that is no attribute.
func Check(s weir.Survivorship, attributes map[string]weir.AttributeType) []error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, weir.Errorf(weir.Invalid, "survivorship: "+format, args...))
	}
	known := func(field string) bool { _, ok := attributes[field]; return ok || attributes == nil }
	check := func(what string, names []string) {
		for _, n := range names {
			if _, ok := parse(n); !ok {
				errs = append(errs, weir.Errorf(weir.Invalid, "survivorship of %s: there is no rule %q", what, n).
					Then("use "+strings.Join(Names(), ", ")))
			}
		}
	}
	check("default", s.Default)
	in := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
		if len(s.Groups[name]) == 0 {
			fail("group %s has no fields", name)
		}
		if attributes != nil && known(name) {
			fail("group %s has the name of an attribute", name)
		}
		for _, f := range s.Groups[name] {
			if other, twice := in[f]; twice {
				fail("%s is in group %s and in group %s", f, other, name)
			}
			in[f] = name
			if !known(f) {
				fail("group %s has %s, which is no attribute", name, f)
			}
		}
	}
	for _, f := range slices.Sorted(maps.Keys(s.Fields)) {
		check(f, s.Fields[f])
		if g, grouped := in[f]; grouped {
			fail("%s is taken with group %s, so it can't have rules of its own", f, g)
		}
		if _, isGroup := s.Groups[f]; !isGroup && !known(f) {
			fail("%s is no attribute", f)
		}
	}
	return errs
}

func parse(name string) (rule, bool) {
	if s, ok := strings.CutPrefix(name, "source("); ok {
		s, ok = strings.CutSuffix(s, ")")
		return rule{name: name, source: s}, ok && s != ""
	}
	return rule{name: name}, slices.Contains(Names(), name)
}

func parseAll(names []string) []rule {
	out := make([]rule, 0, len(names))
	for _, n := range names {
		r, _ := parse(n)
		out = append(out, r)
	}
	return out
}
