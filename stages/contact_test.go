package stages

import (
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

// The last contact is the latest declared event until now of the profile that the
// event belongs to: the same for decide's audience and for a question about one.
func TestLastContact(t *testing.T) {
	w := newWorld(t)
	w.people = map[string]citizen{"p_a": {email: "a@x.org", member: true}, "p_b": {email: "b@x.org", member: true}, "p_c": {email: "c@x.org", member: true}}
	w.settle()
	at := func(id, name string, days int, identifiers weir.Identifiers) weir.Event {
		return weir.Event{ID: id, Name: name, OccurredAt: noon.AddDate(0, 0, -days), ReceivedAt: noon, Identifiers: identifiers}
	}
	putNamed(w.village, "identity.identifiers", weir.Resolve,
		weir.IdentifierOwner{Kind: "email", Value: "a@x.org", ProfileID: "p_a"}, weir.IdentifierOwner{Kind: "email", Value: "b@x.org", ProfileID: "p_b"},
		weir.IdentifierOwner{Kind: "email", Value: "c@x.org", ProfileID: "p_c"},
		weir.IdentifierOwner{Kind: "phone", Value: "+331", Ambiguous: true}, weir.IdentifierOwner{Kind: "user_id", Value: "7", ProfileID: "p_b"})
	putNamed(w.village, "core.events", weir.Conform,
		at("e1", "Order Completed", 400, weir.Identifiers{"email": {"a@x.org"}}),
		at("e2", "Order Completed", 30, weir.Identifiers{"email": {"a@x.org"}}),
		at("e3", "Order Completed", -1, weir.Identifiers{"email": {"a@x.org"}}),                // yet to come
		at("e4", "Email Delivered", 2, weir.Identifiers{"email": {"a@x.org"}}),                 // not from the person
		at("e5", "Email Clicked", 9, weir.Identifiers{"email": {"a@x.org"}, "user_id": {"7"}}), // the stronger one's
		at("e6", "Email Clicked", 5, weir.Identifiers{"phone": {"+331"}}))                      // nobody's
	w.project.Subject.LastContact = []string{"event.Order Completed", "event.Email Clicked"}
	w.project.Identity = []weir.IdentityDef{{Kind: weir.Person, Identifiers: map[string]weir.IdentifierRule{"user_id": {}, "email": {}}, Order: []string{"user_id", "email"}}}
	want := map[string]time.Time{"p_a": noon.AddDate(0, 0, -30), "p_b": noon.AddDate(0, 0, -9), "p_c": {}}

	pins, err := w.Lake.Pins(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.openAudience(t.Context(), w.project, w.project.Activations, pins, noon)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	seen := 0
	for p, err := range a.people(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if !p.contact.Equal(want[p.profile]) {
			t.Errorf("%s: last contact %v, want %v", p.profile, p.contact, want[p.profile])
		}
		if got := p.asked(nil).LastContactAt; !got.Equal(p.contact) {
			t.Errorf("%s: the gate is told %v", p.profile, got)
		}
	}
	if seen != len(want) {
		t.Errorf("%d people", seen)
	}
	q, err := w.ask(t.Context(), append([]string{"core.events"}, whoTables...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	for id, at := range want {
		if got, err := q.contact(t.Context(), w.project, id, noon); err != nil || !got.Equal(at) {
			t.Errorf("%s asked alone: %v %v, want %v", id, got, err, at)
		}
	}
}
