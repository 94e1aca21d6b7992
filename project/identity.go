package project

import (
	"regexp"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"go.yaml.in/yaml/v3"
)

func (l *loader) identity(r *reader, _ string, root *yaml.Node) {
	r.object(root, keys{
		"person":  func(n *yaml.Node) { l.p.Identity = append(l.p.Identity, l.identityOf(r, weir.Person, n)) },
		"account": func(n *yaml.Node) { l.p.Identity = append(l.p.Identity, l.identityOf(r, weir.Account, n)) },
	})
	slices.SortFunc(l.p.Identity, func(a, b weir.IdentityDef) int { return -strings.Compare(string(a.Kind), string(b.Kind)) })
}

func (l *loader) identityOf(r *reader, kind weir.Kind, n *yaml.Node) weir.IdentityDef {
	d := weir.IdentityDef{Kind: kind, Identifiers: map[string]weir.IdentifierRule{}}
	var people *yaml.Node
	r.object(n, keys{
		"identifiers": func(n *yaml.Node) {
			r.each(n, func(k, v *yaml.Node) {
				d.Order = append(d.Order, k.Value)
				d.Identifiers[k.Value] = r.identifierRule(v)
			})
		},
		"rules": func(n *yaml.Node) {
			for _, c := range r.list(n) {
				var rule weir.MatchRule
				r.object(c, keys{"name": r.text(&rule.Name), "match": r.texts(&rule.Match)})
				switch {
				case !nameForm.MatchString(rule.Name):
					r.problem(c, "add name: phone_and_name", "a rule needs a name of small letters, digits and _")
				case len(rule.Match) == 0:
					r.problem(c, "add match: [phone, family_name]", "rule %s matches on nothing", rule.Name)
				case slices.ContainsFunc(d.Rules, func(o weir.MatchRule) bool { return o.Name == rule.Name }):
					r.problem(c, "rename one", "two rules named %s", rule.Name)
				default:
					d.Rules = append(d.Rules, rule)
					for _, m := range rule.Match {
						l.mentions = append(l.mentions, mention{m, "rule " + rule.Name + " matches on", r.at(c)})
					}
				}
			}
		},
		"model":        func(n *yaml.Node) { d.Model = l.model(r, n) },
		"people":       func(n *yaml.Node) { d.People = r.people(n, kind); people = n },
		"survivorship": func(n *yaml.Node) { d.Survivorship = r.survivorship(n) },
		"categories":   r.textMap(&d.Categories),
	})
	if d.People != nil {
		r.checkPeople(people, d)
	}
	return d
}

func (r *reader) list(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.problem(n, "", "expected a list, found %s", kindName(n))
		return nil
	}
	return n.Content
}

func (r *reader) identifierRule(n *yaml.Node) weir.IdentifierRule {
	var x weir.IdentifierRule
	link := true
	r.object(n, keys{
		"limit":     r.integer(&x.Limit, 1),
		"hard":      r.boolean(&x.Hard),
		"shared_by": r.integer(&x.SharedBy, 1),
		"blocked":   r.texts(&x.Blocked),
		"link":      r.boolean(&link),
	})
	x.NoLink = !link
	if x.Hard && x.Limit == 0 {
		r.problem(n, "add limit: 1", "hard says nothing without a limit")
	}
	for _, b := range x.Blocked {
		if _, err := regexp.Compile(b); err != nil {
			r.problem(n, "escape special characters with \\", "blocked %q is no regular expression", b)
		}
	}
	return x
}

var survivorshipRule = regexp.MustCompile(`^(latest|first|most_frequent|most_complete|longest|source\([a-z][a-z0-9_]*\))$`)

func (r *reader) survivorship(n *yaml.Node) weir.Survivorship {
	s := weir.Survivorship{Fields: map[string][]string{}, Groups: map[string][]string{}}
	rules := func(n *yaml.Node) []string {
		var out []string
		r.texts(&out)(n)
		for _, x := range out {
			if !survivorshipRule.MatchString(x) {
				r.problem(n, "latest, first, most_frequent, most_complete, longest or source(NAME)", "unknown survivorship rule %q", x)
			}
		}
		return out
	}
	r.each(n, func(k, v *yaml.Node) {
		switch k.Value {
		case "default":
			s.Default = rules(v)
		case "groups":
			r.each(v, func(g, fields *yaml.Node) {
				var names []string
				r.texts(&names)(fields)
				s.Groups[g.Value] = names
			})
		default:
			s.Fields[k.Value] = rules(v)
		}
	})
	return s
}
