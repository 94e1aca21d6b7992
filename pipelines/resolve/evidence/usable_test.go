package evidence_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// What is left of a record holds no identifier that tells of nobody: models need not
// look again. What tells of somebody stays.
func TestUsableHoldsNothingWorthless(t *testing.T) {
	r := compile(t, weir.IdentityDef{Identifiers: map[string]weir.IdentifierRule{"email": {Limit: 5}, "phone": {NoLink: true}, "domain": {}}})
	values := rapid.SampledFrom([]string{"", "n/a", "000000", "+33 6 00 00 00 00", "+33612345678", "+33699999999", "info@shop.fr", "ana@shop.fr",
		"test@shop.fr", "gmail.com", "shop.fr", "C-17", "  none ", "ana@example.com"})
	rapid.Check(t, func(t *rapid.T) {
		ids := weir.Identifiers{}
		for _, kind := range []string{"email", "phone", "domain", "customer_id"} {
			if n := rapid.IntRange(0, 4).Draw(t, kind); n > 0 {
				ids[kind] = rapid.SliceOfN(values, n, n).Draw(t, kind)
			}
		}
		rec := person(ids, map[string]string{"city": "Lyon"})
		got := r.Usable(rec).Identifiers
		for _, kind := range slices.Sorted(maps.Keys(ids)) {
			for _, v := range got[kind] {
				if v != "" && evidence.Worthless(weir.Person, kind, v) != "" {
					t.Errorf("%s %q is left: %s", kind, v, evidence.Worthless(weir.Person, kind, v))
				}
			}
			for _, v := range ids[kind] {
				if evidence.Worthless(weir.Person, kind, v) == "" && !slices.Contains(got[kind], v) {
					t.Errorf("%s %q is gone", kind, v)
				}
			}
		}
	})
}
