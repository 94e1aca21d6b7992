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
	rules := map[string]*yaml.Node{} // by name
	r.object(n, keys{
		"identifiers": func(n *yaml.Node) {
			r.each(n, func(k, v *yaml.Node) {
				d.Order = append(d.Order, k.Value)
				l.mentions = append(l.mentions, mention{"", k.Value, string(kind) + ": has the identifier", r.at(k)})
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
					rules[rule.Name] = c
					for _, m := range rule.Match {
						l.mentions = append(l.mentions, mention{kind, m, "rule " + rule.Name + " matches on", r.at(c)})
					}
				}
			}
		},
		"model":        func(n *yaml.Node) { d.Model = l.model(r, kind, n) },
		"people":       func(n *yaml.Node) { d.People = r.people(n, kind); people = n },
		"survivorship": func(n *yaml.Node) { d.Survivorship = r.survivorship(n) },
		"categories":   r.textMap(&d.Categories),
	})
	l.noteKeys(r, "identity "+string(kind), n)
	if d.People != nil {
		r.checkPeople(people, d)
	}
	r.takenNames(rules, d)
	return d
}

// takenNames finds rules with the name of evidence that Weir itself gives.
func (r *reader) takenNames(at map[string]*yaml.Node, d weir.IdentityDef) {
	taken := map[string]string{"model": "of the model's scores", "linked": "of people's decisions"}
	for _, k := range d.Order {
		taken["same_"+k] = "of the identifier " + k
	}
	for _, rule := range d.Rules {
		if of := taken[rule.Name]; of != "" {
			r.problem(at[rule.Name], "give it another name", "rule %s has the name of the evidence %s", rule.Name, of)
		}
	}
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
		switch re, err := regexp.Compile("(?i)" + b); {
		case err != nil:
			r.problem(n, "escape special characters with \\", "blocked %q is no regular expression: %s", b, strings.Replace(strings.TrimPrefix(err.Error(), "error parsing regexp: "), "(?i)", "", 1))
		case re.MatchString("") && re.MatchString("~7"):
			r.problem(n, "anchor it, such as ^test@", "blocked %q fits every value", b)
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
