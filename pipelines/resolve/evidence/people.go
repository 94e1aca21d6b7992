package evidence

import (
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
	"github.com/weir-cdp/weir/pipelines/resolve/freemail"
)

// People says by which values persons are linked to accounts.
type People struct {
	// By holds identifier kinds and weir.EmailDomain: the first that leads a
	// person to an account decides.
	By   []string
	free map[string]bool
}

// Claim is a value under which a person and its account meet.
type Claim struct{ By, Value string }

// People returns how persons are linked to accounts; nil: they are not.
func (r *Rules) People() *People { return r.people }

// compilePeople reads the account section. Unless it says otherwise every
// identifier that links accounts links people to them, but for addresses and
// phones, which a person has of its own, and after them the domain of an e-mail
// address, where accounts have domains.
func compilePeople(defs []weir.IdentityDef) (*People, error) {
	i := slices.IndexFunc(defs, func(d weir.IdentityDef) bool { return d.Kind == weir.Account })
	if i < 0 {
		return nil, nil
	}
	d, def := defs[i], weir.PeopleDef{}
	if d.People != nil {
		def = *d.People
	}
	p := &People{By: def.By, free: freeMail(d)}
	if len(p.By) == 0 {
		for _, kind := range declared(d) {
			if !d.Identifiers[kind].NoLink && !weir.IsAddress(kind) {
				p.By = append(p.By, kind)
			}
		}
		if slices.ContainsFunc(declared(d), weir.IsDomain) {
			p.By = append(p.By, weir.EmailDomain)
		}
	}
	for _, by := range p.By {
		if _, ok := d.Identifiers[by]; !ok && by != weir.EmailDomain {
			return nil, weir.Errorf(weir.Invalid, "people are linked to accounts by %q, which is no identifier of the account section", by).At("identity.yaml")
		}
	}
	if def.None || len(p.By) == 0 {
		return nil, nil
	}
	return p, nil
}

// freeMail is the project's own list, as domains are written in records.
func freeMail(d weir.IdentityDef) map[string]bool {
	free := map[string]bool{}
	if d.People != nil {
		for _, x := range d.People.FreeMail {
			free[x] = true
			if registered, err := standard.Domain(x, nil); err == nil {
				free[registered] = true
			}
		}
	}
	return free
}

// Claims lists under which values a record's value looks for accounts, or, on an
// account's record, where the account is found. A blocked value says nothing, but
// that a shared mailbox (info@) is at its domain.
func (p *People) Claims(of weir.Kind, kind, value string, why Reason) []Claim {
	if p == nil || why != "" && (why != SharedMailbox || of != weir.Person) {
		return nil
	}
	var out []Claim
	if why == "" && slices.Contains(p.By, kind) {
		out = append(out, Claim{kind, value})
	}
	if !slices.Contains(p.By, weir.EmailDomain) {
		return out
	}
	switch {
	case of == weir.Account && weir.IsDomain(kind):
		out = append(out, Claim{weir.EmailDomain, value})
	case of == weir.Person && weir.IsEmail(kind):
		if domain, err := standard.Domain(value, nil); err == nil && domain != "" && !freemail.Has(domain) && !p.free[domain] {
			out = append(out, Claim{weir.EmailDomain, domain})
		}
	}
	return out
}

// Rank is the place of a claim's kind in By: smaller decides before larger.
func (p *People) Rank(by string) int { return slices.Index(p.By, by) }
