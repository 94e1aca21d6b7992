package stages

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

var hamlet = &project.Project{Name: "shop", Timezone: "UTC",
	Identity: []weir.IdentityDef{{Kind: weir.Person, Order: []string{"user_id", "email", "phone"},
		Identifiers: map[string]weir.IdentifierRule{"user_id": {}, "email": {}, "phone": {NoLink: true}}}},
	Traits: []weir.TraitDef{{Name: "ltv", Of: weir.Person, Aggregate: "sum", Field: "properties.revenue", Event: "Order Completed"}},
	Segments: []weir.SegmentDef{
		{Name: "all", Of: weir.Person, Where: weir.Condition{Attribute: "email", Compare: []weir.Comparison{{Op: "exists", Values: []string{"true"}}}}},
		{Name: "vip", Of: weir.Person, Where: weir.Condition{All: []weir.Condition{
			{Trait: "ltv", Compare: []weir.Comparison{{Op: "at_least", Values: []string{"13"}}}},
			{IsEvent: true, Event: "Order Completed", Count: []weir.Comparison{{Op: "at_least", Values: []string{"2"}}}}}}}}}

func TestWhyTwoRecordsAreOneOrNot(t *testing.T) {
	v := people(t)
	for _, c := range []struct {
		a, b  string
		same  bool
		rules string
	}{
		{"crm/c/1", "shop/u/1", true, "same_email"},
		{"shop/u/1", "crm/c/1", true, "same_email"},
		{"email:jo@x.org", "user_id:7", true, ""}, // one record holds both
		{"p_old", "shop/u/1", true, ""},
		{"crm/c/2", "shop/u/1", false, "phone_and_name refused, same_email"},
		{"p_al", "p_jo", false, "phone_and_name refused"},
		{"phone:+33100000000", "user_id:7", false, "same_email"}, // the value leads to nobody
	} {
		e, err := v.ExplainIdentity(t.Context(), hamlet, c.a, c.b)
		if err != nil {
			t.Fatalf("%s %s: %v", c.a, c.b, err)
		}
		var rules []string
		for _, h := range e.Path {
			rule := h.Edge.Rule
			if !h.Edge.Used {
				rule += " refused"
			}
			rules = append(rules, rule)
		}
		if got := strings.Join(rules, ", "); e.Same != c.same || (c.rules != got && c.a != "phone:+33100000000") {
			t.Errorf("%s %s: same %v by %q, want %v by %q", c.a, c.b, e.Same, got, c.same, c.rules)
		}
	}
	e, err := v.ExplainIdentity(t.Context(), hamlet, "p_al", "p_jo")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Shared) != 1 || !e.Shared[0].Ambiguous || !e.Shared[0].NoLink || e.Shared[0].Kind != "phone" {
		t.Errorf("shared %+v: a hub is no evidence, nor is a kind that does not link", e.Shared)
	}
	if _, err := v.ExplainIdentity(t.Context(), hamlet, "p_al", "nobody"); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("an unknown id: %v", err)
	}
}

func TestIdentityReport(t *testing.T) {
	r, err := people(t).ReportIdentity(t.Context(), hamlet, 10)
	if err != nil {
		t.Fatal(err)
	}
	if r.Profiles["person"] != 2 || r.Records != 3 || r.Ambiguous["phone"] != 1 || r.Changes["merge"] != 1 || r.Changes["retire"] != 1 {
		t.Errorf("%+v", r)
	}
	if len(r.Hubs) != 0 || len(r.Worthless) != 1 || r.Worthless[0].Profiles != 2 || r.Worthless[0].Why == "" || len(r.Largest) != 1 || r.Largest[0].ProfileID != "p_jo" {
		t.Errorf("hubs %v, worthless %v, shared %v, largest %v", r.Hubs, r.Worthless, r.Shared, r.Largest)
	}
	if len(r.Rules) != 2 || r.Rules[0] != (RuleCount{"phone_and_name", 0, 1}) || r.Rules[1] != (RuleCount{"same_email", 1, 0}) {
		t.Errorf("rules %v", r.Rules)
	}
	if _, err := newVillage(t).ReportIdentity(t.Context(), hamlet, 10); err != nil {
		t.Errorf("an empty lake: %v", err)
	}
}

func TestSegmentsCountedPreviewedCompared(t *testing.T) {
	v := people(t)
	counts, err := v.CountSegments(t.Context(), hamlet)
	if err != nil {
		t.Fatal(err)
	}
	if len(counts) != 2 || counts[0].Members != 2 || counts[1].Members != 1 || !counts[0].AsOf.Equal(noon) || !counts[0].Stale {
		t.Errorf("%+v: nothing says which definition the members follow, so they are stale", counts)
	}
	members, columns, err := v.PreviewSegment(t.Context(), hamlet, "vip", 5)
	if err != nil || len(members) != 1 || members[0].Values["trait.ltv"] != "12.5" || strings.Join(columns, " ") != "trait.ltv" {
		t.Errorf("%+v %v %v", members, columns, err)
	}
	members, _, err = v.PreviewSegment(t.Context(), hamlet, "all", 1)
	if err != nil || len(members) != 1 || members[0].Values["email"] != "al@x.org" {
		t.Errorf("%+v %v", members, err)
	}
	o, err := v.OverlapSegments(t.Context(), hamlet, "all", "vip")
	if err != nil || o != (Overlap{"all", "vip", 1, 0, 1}) {
		t.Errorf("%+v %v", o, err)
	}
	if _, err := v.CountSegments(t.Context(), hamlet, "vipp"); weir.CodeOf(err) != weir.NotFound || !strings.Contains(err.Error(), "all, vip") {
		t.Errorf("an unknown segment: %v", err)
	}
}

// Both orders are Jo's: of the event with two people's identifiers, user_id is
// the stronger. So she spent 13.50 on 2 orders, and Al nothing.
func TestSegmentExplainedWithTheProfilesEvents(t *testing.T) {
	v := people(t)
	r, err := v.ExplainSegment(t.Context(), hamlet, "vip", "email:jo@x.org", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Verdict.Holds || !r.Member || r.Events != 2 || !r.Now.Equal(noon) {
		t.Errorf("%+v", r)
	}
	r, err = v.ExplainSegment(t.Context(), hamlet, "vip", "p_al", noon)
	if err != nil || r.Verdict.Holds || r.Member || r.Events != 0 {
		t.Errorf("%+v %v", r, err)
	}
	r, err = v.ExplainSegment(t.Context(), hamlet, "vip", "p_jo", noon.Add(-90*time.Minute))
	if err != nil || r.Verdict.Holds {
		t.Errorf("an event after now does not count: %+v %v", r, err)
	}
}

// Only a value on more profiles than its kind allows is a hub; one that says nothing
// of anybody is listed as such, however many hold it.
func TestValuesOnSeveralProfilesAreSorted(t *testing.T) {
	p := &project.Project{Identity: []weir.IdentityDef{{Kind: weir.Person, Identifiers: map[string]weir.IdentifierRule{
		"email": {SharedBy: 3, Blocked: []string{"^desk@"}}, "phone": {}, "card": {NoLink: true}},
		Rules: []weir.MatchRule{{Name: "phone_and_name", Match: []string{"phone", "family_name"}}}}}}
	var r IdentityReport
	r.sortHubs(p, []Hub{
		{Kind: "email", Value: "a@shop.net", Profiles: 4}, {Kind: "email", Value: "b@shop.net", Profiles: 3}, {Kind: "email", Value: "desk@shop.net", Profiles: 9},
		{Kind: "phone", Value: "+33611119999", Profiles: 11}, {Kind: "phone", Value: "+33601234567", Profiles: 12}, {Kind: "phone", Value: "+33611119998", Profiles: 10},
		{Kind: "card", Value: "c1", Profiles: 2}}, 2)
	names := func(list []Hub) (out []string) {
		for _, h := range list {
			out = append(out, h.Value+h.Why)
		}
		return out
	}
	for _, c := range []struct{ got, want []string }{
		{names(r.Hubs), []string{"a@shop.net", "+33611119999"}},
		{names(r.Worthless), []string{"desk@shop.netblocked in identity.yaml", "+33601234567a phone of one digit, or counting up or down"}},
		{names(r.Shared), []string{"b@shop.net", "+33611119998"}}, // card: beyond the top
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	if got := rulesOn(p, "phone"); !slices.Equal(got, []string{"phone_and_name", "same_phone"}) {
		t.Errorf("rules on phone: %v", got)
	}
	if got := rulesOn(p, "card"); len(got) != 0 {
		t.Errorf("rules on card: %v", got)
	}
}
