package project

import (
	"regexp"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"go.yaml.in/yaml/v3"
)

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$`)

// people reads how persons are linked to accounts: `none`, or keys by and
// free_mail.
func (r *reader) people(n *yaml.Node, kind weir.Kind) *weir.PeopleDef {
	if kind != weir.Account {
		r.problem(n, "move it below account:", "people says who belongs to an account")
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		if n.Value != "none" {
			r.problem(n, "people: none, or keys by, free_mail", "unknown people %q", n.Value)
		}
		return &weir.PeopleDef{None: true}
	}
	d := &weir.PeopleDef{}
	r.object(n, keys{
		"by": r.texts(&d.By),
		"free_mail": func(n *yaml.Node) {
			r.texts(&d.FreeMail)(n)
			for i, x := range d.FreeMail {
				d.FreeMail[i] = strings.ToLower(x)
				if !domainForm.MatchString(d.FreeMail[i]) {
					r.problem(n, "a domain alone, international names in punycode: mail.example.org", "free_mail %q is no domain", x)
				}
			}
		},
	})
	return d
}

// checkPeople checks `by` against the identifiers, wherever in the section they
// stand.
func (r *reader) checkPeople(n *yaml.Node, d weir.IdentityDef) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "by" {
			n = n.Content[i+1]
			break
		}
	}
	known := append(slices.Clone(d.Order), weir.EmailDomain)
	for i, by := range d.People.By {
		switch {
		case !slices.Contains(known, by):
			r.problem(n, didYouMean(by, known), "people are linked by %q, which is no identifier of the account section", by)
		case slices.Contains(d.People.By[:i], by):
			r.problem(n, "leave it once", "people are linked by %s twice", by)
		case by == weir.EmailDomain && !slices.ContainsFunc(d.Order, weir.IsDomain):
			r.problem(n, "add domain: {} to the account section's identifiers", "people are linked by email_domain, but accounts have no domain")
		}
	}
}
