package policies

import (
	"strings"

	"github.com/weir-cdp/weir/policies/consents"
)

// Portrait is what all questions of one run share of a person: many activations ask
// about the same one. It is of the gate, run and subject of the decider that made it,
// and not safe for concurrent use.
type Portrait struct {
	person            Person // its entries expanded
	said              consents.Profile
	age               AgeBand
	customer, offered Fact
	region            string
	places            map[string]List // by the jurisdictions that entries claim, joined
	folds             map[string]consents.State
}

// Portray begins a person's portrait; the addresses come with each question.
func (d *Decider) Portray(p Person) *Portrait {
	x := &Portrait{person: p, said: p.Consents, age: d.age(p.Attributes), customer: told(p.Attributes, d.q.Subject.Customer),
		offered: told(p.Attributes, d.q.Subject.OptOutOffered), region: d.region(p.Attributes), places: map[string]List{}, folds: map[string]consents.State{}}
	x.person.Consents = Expanded(p.Consents)
	return x
}

// fold folds the person's entries once for each purpose, channel and addresses.
func (x *Portrait) fold(q consents.Query) consents.State {
	key := q.Purpose + "\x00" + q.Channel
	for _, a := range q.Addresses {
		key += "\x00" + a.Kind + "\x01" + a.Value
	}
	s, known := x.folds[key]
	if !known {
		s = consents.Fold(x.person.Consents, q)
		x.folds[key] = s
	}
	return s
}

// jurisdictions reads them once for what entries claim, which is mostly nothing.
func (x *Portrait) jurisdictions(d *Decider, claimed []string) List {
	key := strings.Join(claimed, "\x00")
	l, known := x.places[key]
	if !known {
		l = d.jurisdictions(x.person.Attributes, x.region, claimed)
		x.places[key] = l
	}
	return l
}
