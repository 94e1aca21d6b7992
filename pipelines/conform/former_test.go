package conform

import (
	"testing"

	"github.com/weir-cdp/weir"
)

// What a source no longer tells restricts as it did, and grants nothing, whatever
// else is told under its key.
func TestFormerRowsOnlyRestrict(t *testing.T) {
	l := newLake(t)
	l.stream(optins(), texts("id", "email", "purpose", "channel", "action", "at", "form", "country", "ends"),
		collected{monday, "o.xml", `
			{"id": "1 alone, no", "email": "a@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-02", "_op": "former"}
			{"id": "2 alone, yes", "email": "a@x.org", "purpose": "p", "action": "granted", "at": "2026-01-02", "_op": "former"}
			{"id": "3 no, then a yes that is told", "email": "a@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-02", "_op": "former"}
			{"id": "4 yes in another file, then no", "email": "a@x.org", "purpose": "p", "action": "granted", "at": "2026-01-02"}
			{"id": "5 no in another file, then yes", "email": "a@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-02"}
			{"id": "6 unusable", "email": "a@x.org", "action": "granted", "at": "2026-01-02", "_op": "former"}
			{"id": "7 no, then garbled", "email": "a@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-02", "_op": "former"}
			{"id": "8 no, then deleted", "email": "a@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-02", "_op": "former"}
			{"id": "9 no, then yes, both gone", "email": "a@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-02", "_op": "former"}`},
		collected{tuesday, "o.xml", `
			{"id": "3 no, then a yes that is told", "email": "a@x.org", "purpose": "p", "action": "granted", "at": "2026-01-03"}
			{"id": "4 yes in another file, then no", "email": "a@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-03", "_op": "former"}
			{"id": "5 no in another file, then yes", "email": "a@x.org", "purpose": "p", "action": "granted", "at": "2026-01-03", "_op": "former"}
			{"id": "7 no, then garbled", "email": "a@x.org", "purpose": "p", "action": "granted", "at": "never"}
			{"id": "8 no, then deleted", "_op": "delete"}
			{"id": "9 no, then yes, both gone", "email": "a@x.org", "purpose": "p", "action": "granted", "at": "2026-01-03", "_op": "former"}
			{"email": "b@x.org", "purpose": "p", "action": "granted", "at": "2026-01-03"}`})
	m := l.run()
	got := map[string]weir.Action{}
	for _, c := range rows[weir.Consent](l, m, consentsTable) {
		got[c.ID[len("news/optins/"):len("news/optins/")+1]] = c.Action
	}
	l.same("consents", got, map[string]weir.Action{"1": weir.Withdrawn, "3": weir.Granted, "4": weir.Withdrawn, "5": weir.Withdrawn, "7": weir.Withdrawn, "8": weir.Withdrawn})
	told := map[string]string{}
	for _, q := range rows[weir.Quarantined](l, m, quarantineTable) {
		told[q.Origin+" "+q.Field] = q.Reason
	}
	l.same("quarantine", len(told), 2) // the garbled row, and the one without a key; not what is gone
	for _, reason := range told {
		if reason == "a row lacks its key: id is empty" {
			return
		}
	}
	t.Errorf("nothing says which column is empty: %v", told)
}
