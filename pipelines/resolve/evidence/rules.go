package evidence

import (
	"fmt"
	"regexp"
	"slices"
	"sort"

	"github.com/weir-cdp/weir"
)

// DefaultSharedBy is `shared_by` where identity.yaml does not say.
const DefaultSharedBy = 10

// SamePrefix begins the name of an identifier's implicit rule.
const SamePrefix = "same_"

// Rules is identity.yaml, compiled. It is safe for concurrent use.
type Rules struct {
	sections map[weir.Kind]*section
	limits   []Limit
	people   *People
}

// Rule is what a rule's evidence is worth.
type Rule struct {
	Name     string
	Strength float64 // log2 odds
	SharedBy int     // a key on more profiles is a hub
	Links    bool    // false of an identifier with `link: false`: it is only counted
}

// Limit is a limited identifier of one kind of records.
type Limit struct {
	Of         weir.Kind
	Identifier string
	Max        int
	Hard       bool
}

type section struct {
	kind        weir.Kind
	identifiers map[string]*identifier
	foreign     map[string]*identifier // declared by the account section alone, on a person's record
	matches     []match
	rules       map[string]Rule
}

type identifier struct {
	Rule
	foreign bool // see separate
	limit   int  // index of Rules.limits, -1 without
	max     int
	hard    bool
	blocked []*regexp.Regexp
	free    map[string]bool // domains of the project's free_mail
}

type match struct {
	Rule
	parts []string
}

// Compile checks and compiles the sections of identity.yaml.
func Compile(defs []weir.IdentityDef) (*Rules, error) {
	r := &Rules{sections: map[weir.Kind]*section{}}
	free := map[string]bool{}
	for _, d := range defs {
		for x := range freeMail(d) {
			free[x] = true
		}
	}
	for _, d := range defs {
		if r.sections[d.Kind] != nil {
			return nil, weir.Errorf(weir.Invalid, "identity.yaml has two sections for %s", d.Kind)
		}
		s, err := r.compile(d, free)
		if err != nil {
			return nil, err
		}
		r.sections[d.Kind] = s
	}
	for _, k := range []weir.Kind{weir.Person, weir.Account} {
		if r.sections[k] == nil {
			r.sections[k] = &section{kind: k}
		}
	}
	r.separate()
	var err error
	r.people, err = compilePeople(defs)
	return r, err
}

func (r *Rules) compile(d weir.IdentityDef, free map[string]bool) (*section, error) {
	s := &section{kind: d.Kind, identifiers: map[string]*identifier{}, rules: map[string]Rule{}}
	place := 0
	for _, kind := range declared(d) {
		def := d.Identifiers[kind]
		id := &identifier{limit: -1, max: def.Limit, hard: def.Hard, free: free}
		id.Rule = Rule{Name: SamePrefix + kind, Strength: strength(place), SharedBy: sharedBy(def.SharedBy), Links: !def.NoLink}
		place++
		for _, expr := range def.Blocked {
			re, err := regexp.Compile("(?i)" + expr)
			if err != nil {
				return nil, weir.Errorf(weir.Invalid, "identifier %s: blocked value %q is not a regular expression", kind, expr).
					At("identity.yaml").Then("escape its special characters with a backslash")
			}
			id.blocked = append(id.blocked, re)
		}
		if def.Limit > 0 {
			id.limit = len(r.limits)
			r.limits = append(r.limits, Limit{Of: d.Kind, Identifier: kind, Max: def.Limit, Hard: def.Hard})
		}
		s.identifiers[kind] = id
		s.rules[id.Name] = id.Rule
	}
	for _, m := range d.Rules {
		if _, taken := s.rules[m.Name]; taken || m.Name == "" || len(m.Match) == 0 {
			return nil, weir.Errorf(weir.Invalid, "rule %q is empty or its name is taken", m.Name).At("identity.yaml")
		}
		shared := 0
		for _, part := range m.Match {
			if id := s.identifiers[part]; id != nil && (shared == 0 || id.SharedBy < shared) {
				shared = id.SharedBy
			}
		}
		c := match{Rule: Rule{Name: m.Name, Strength: strength(place), SharedBy: sharedBy(shared), Links: true}, parts: m.Match}
		place++
		s.matches = append(s.matches, c)
		s.rules[m.Name] = c.Rule
	}
	return s, nil
}

// declared lists identifier kinds in their order; one that Order forgot comes
// last, by name.
func declared(d weir.IdentityDef) []string {
	var kinds []string
	for _, k := range d.Order {
		if _, ok := d.Identifiers[k]; ok && !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	ordered := len(kinds)
	for k := range d.Identifiers {
		if !slices.Contains(kinds[:ordered], k) {
			kinds = append(kinds, k)
		}
	}
	sort.Strings(kinds[ordered:])
	return kinds
}

func strength(place int) float64 { return 20 + 20/float64(1+place) }

func sharedBy(n int) int {
	if n <= 0 {
		return DefaultSharedBy
	}
	return n
}

// Limits lists all limited identifiers; Limited.Index points into it.
func (r *Rules) Limits() []Limit { return r.limits }

// Rule returns a rule by the name that keys and edges carry.
func (r *Rules) Rule(of weir.Kind, name string) (Rule, error) {
	s := r.sections[of]
	if s == nil {
		return Rule{}, weir.Errorf(weir.Internal, "records of kind %q have no rules", of)
	}
	if rule, ok := s.rules[name]; ok {
		return rule, nil
	}
	if len(name) > len(SamePrefix) && name[:len(SamePrefix)] == SamePrefix {
		return s.identifier(name[len(SamePrefix):]).Rule, nil
	}
	return Rule{}, weir.Errorf(weir.Internal, "no rule %q of %s", name, of)
}

// separate marks the identifiers that only accounts have. On a person's record
// they say whom the person belongs to, not who it is: colleagues share them.
func (r *Rules) separate() {
	person := r.sections[weir.Person]
	for kind := range r.sections[weir.Account].identifiers {
		if person.identifiers[kind] == nil {
			if person.foreign == nil {
				person.foreign = map[string]*identifier{}
			}
			id := undeclared(kind)
			id.Links, id.foreign = false, true
			person.foreign[kind] = id
		}
	}
}

// undeclared is the rule of an identifier that identity.yaml does not name: it
// links, as the weakest.
func undeclared(kind string) *identifier {
	return &identifier{Rule: Rule{Name: SamePrefix + kind, Strength: 20, SharedBy: DefaultSharedBy, Links: true}, limit: -1}
}

func (s *section) identifier(kind string) *identifier {
	if id := s.identifiers[kind]; id != nil {
		return id
	}
	if id := s.foreign[kind]; id != nil {
		return id
	}
	return undeclared(kind)
}

// String names a limit for reports.
func (l Limit) String() string { return fmt.Sprintf("%s of %s, at most %d", l.Identifier, l.Of, l.Max) }
