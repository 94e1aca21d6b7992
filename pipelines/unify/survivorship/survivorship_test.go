package survivorship_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/unify/survivorship"
)

func day(n int) time.Time { return time.Date(2025, 1, n, 0, 0, 0, 0, time.UTC) }

func record(id string, observed int, attributes ...string) weir.Record {
	r := weir.Record{ID: id, Kind: weir.Person, Source: strings.SplitN(id, "/", 2)[0], Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
	if observed > 0 {
		r.ObservedAt = day(observed)
	}
	for i := 0; i+1 < len(attributes); i += 2 {
		r.Attributes[attributes[i]] = attributes[i+1]
	}
	return r
}

func TestRules(t *testing.T) {
	people := []weir.Record{
		record("crm/c/1", 5, "name", "Jon", "city", "Lyon"),
		record("crm/c/2", 2, "name", "Jonathan"),
		record("shop/s/1", 9, "name", "Jonny", "city", "Paris", "zip", "75001"),
		record("shop/s/2", 0, "name", "Jon"),
		record("web/w/1", 9, "name", "Zoë"),
	}
	for _, c := range []struct {
		rules           []string
		value, from, by string
	}{
		{nil, "Jonny", "shop/s/1", "record_id"}, // latest, a tie with web
		{[]string{"latest", "longest"}, "Jonny", "shop/s/1", "longest"},
		{[]string{"latest", "source(web)"}, "Zoë", "web/w/1", "source(web)"},
		{[]string{"first"}, "Jon", "shop/s/2", "first"}, // no time counts as the oldest
		{[]string{"source(crm)", "latest"}, "Jon", "crm/c/1", "latest"},
		{[]string{"source(erp)", "first"}, "Jon", "shop/s/2", "first"}, // falls back
		{[]string{"most_frequent"}, "Jon", "crm/c/1", "most_frequent"},
		{[]string{"most_frequent", "first"}, "Jon", "shop/s/2", "most_frequent"},
		{[]string{"most_complete"}, "Jonny", "shop/s/1", "most_complete"},
		{[]string{"longest"}, "Jonathan", "crm/c/2", "longest"},
	} {
		rules, err := survivorship.Compile(weir.Survivorship{Fields: map[string][]string{"name": c.rules}}, []byte("pepper"))
		if err != nil {
			t.Fatal(err)
		}
		p, lineage := rules.Golden("p", people)
		var l weir.Lineage
		for _, x := range lineage {
			if x.Field == "name" {
				l = x
			}
		}
		if p.Attributes["name"] != c.value || l.RecordID != c.from || l.Rule != c.by {
			t.Errorf("%v: %s of %s by %s, want %+v", c.rules, p.Attributes["name"], l.RecordID, l.Rule, c)
		}
	}
}

func TestGroup(t *testing.T) {
	def := weir.Survivorship{Groups: map[string][]string{"address": {"street", "zip", "city"}}, Fields: map[string][]string{"address": {"source(crm)", "latest"}}}
	rules, err := survivorship.Compile(def, nil)
	if err != nil {
		t.Fatal(err)
	}
	people := []weir.Record{
		record("crm/c/1", 3, "street", "1 rue A", "city", "Lyon"),
		record("crm/c/2", 3, "city", "Nice"),
		record("crm/c/3", 9, "name", "no address"),
		record("shop/s/1", 9, "street", "2 rue B", "zip", "75001", "city", "Paris"),
	}
	p, lineage := rules.Golden("p", people)
	want := map[string]string{"street": "1 rue A", "city": "Lyon", "name": "no address"} // no zip: never mixed
	if !reflect.DeepEqual(p.Attributes, want) {
		t.Errorf("attributes %v, want %v", p.Attributes, want)
	}
	for _, l := range lineage {
		if l.Field != "name" && (l.RecordID != "crm/c/1" || l.Rule != "group_fields") {
			t.Errorf("lineage %+v", l)
		}
	}
}

func TestProfile(t *testing.T) {
	rules, err := survivorship.Compile(weir.Survivorship{}, []byte("pepper"))
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := record("crm/c/1", 5, "name", "Ann"), record("crm/c/2", 7), record("web/w/1", 0)
	a.Identifiers, b.Identifiers = weir.Identifiers{"email": {"a@x", "b@x"}}, weir.Identifiers{"email": {"b@x"}, "phone": {"+331"}}
	p, lineage := rules.Golden("p", []weir.Record{c, b, a, a})
	want := weir.Profile{ID: "p", Kind: weir.Person, Attributes: map[string]string{"name": "Ann"}, FirstSeenAt: day(5), LastSeenAt: day(7), Records: 3,
		Identifiers: weir.Identifiers{"email": {"a@x", "b@x"}, "phone": {"+331"}}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("profile %+v", p)
	}
	if len(lineage) != 1 || lineage[0].Rule != "only" || len(lineage[0].ValueHash) != 16 || !lineage[0].ObservedAt.Equal(day(5)) {
		t.Errorf("lineage %+v", lineage)
	}
	other, _ := survivorship.Compile(weir.Survivorship{}, []byte("salt"))
	if _, l := other.Golden("p", []weir.Record{a}); l[0].ValueHash == lineage[0].ValueHash {
		t.Error("the hash does not depend on the secret")
	}
}

// TestProperties: over random records and rules, the result does not depend on
// their order, each value is one of the named record's, a group is of one
// record, no field that some record has is lost, and latest only gets later.
func TestProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	fields := []string{"a", "b", "c", "street", "city"}
	names := []string{"latest", "first", "most_frequent", "most_complete", "longest", "source(s1)", "source(s2)"}
	draw := func() (out []string) {
		for range r.IntN(4) {
			out = append(out, names[r.IntN(len(names))])
		}
		return out
	}
	for range 5000 {
		def := weir.Survivorship{Default: draw(), Fields: map[string][]string{"a": draw(), "address": draw()}, Groups: map[string][]string{"address": {"street", "city"}}}
		rules, err := survivorship.Compile(def, nil)
		if err != nil {
			t.Fatal(err)
		}
		var people []weir.Record
		held := map[string]weir.Record{}
		for i := range 1 + r.IntN(6) {
			p := record(fmt.Sprintf("s%d/x/%d", r.IntN(3), i), r.IntN(4))
			for _, f := range fields {
				if r.IntN(2) == 0 {
					p.Attributes[f] = strings.Repeat("v", r.IntN(3)) + fmt.Sprint(r.IntN(2))
				}
			}
			people, held[p.ID] = append(people, p), p
		}
		p, lineage := rules.Golden("p", people)
		check(t, def, held, p, lineage)
		shuffled := slices.Clone(people)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		p2, lineage2 := rules.Golden("p", shuffled)
		if !reflect.DeepEqual(p, p2) || !reflect.DeepEqual(lineage, lineage2) {
			t.Fatalf("the order of records matters: %+v", people)
		}
	}
}

func check(t *testing.T, def weir.Survivorship, held map[string]weir.Record, p weir.Profile, lineage []weir.Lineage) {
	t.Helper()
	address, latest := map[string]bool{}, len(def.Default) > 0 && def.Default[0] == "latest" || len(def.Default) == 0
	for i, l := range lineage {
		from := held[l.RecordID]
		if from.Attributes[l.Field] != p.Attributes[l.Field] || !from.ObservedAt.Equal(l.ObservedAt) || l.Rule == "" {
			t.Fatalf("lineage %+v of %+v", l, held)
		}
		if i > 0 && lineage[i-1].Field >= l.Field {
			t.Fatalf("lineage is not sorted: %+v", lineage)
		}
		if l.Field == "street" || l.Field == "city" {
			address[l.RecordID] = true
		}
		if l.Field == "b" && latest {
			for _, r := range held {
				if r.Attributes["b"] != "" && r.ObservedAt.After(l.ObservedAt) {
					t.Fatalf("%s is later than %+v", r.ID, l)
				}
			}
		}
	}
	if len(address) > 1 || len(lineage) != len(p.Attributes) {
		t.Fatalf("lineage %+v of %v", lineage, p.Attributes)
	}
	for _, r := range held {
		for _, f := range []string{"a", "b", "c"} {
			if r.Attributes[f] != "" && p.Attributes[f] == "" {
				t.Fatalf("%s of %s is lost", f, r.ID)
			}
		}
		if r.Attributes["street"]+r.Attributes["city"] != "" && len(address) == 0 {
			t.Fatalf("the address of %s is lost", r.ID)
		}
	}
}

func TestCheck(t *testing.T) {
	attributes := map[string]weir.AttributeType{"name": "", "street": "", "city": ""}
	for part, def := range map[string]weir.Survivorship{
		`no rule "newest"`:     {Default: []string{"newest"}},
		`no rule "source("`:    {Fields: map[string][]string{"name": {"source("}}},
		`no rule "source()"`:   {Fields: map[string][]string{"name": {"source()"}}},
		"nam is no attribute":  {Fields: map[string][]string{"nam": {"latest"}}},
		"is in group a and in": {Groups: map[string][]string{"a": {"city"}, "b": {"city"}}},
		"no fields":            {Groups: map[string][]string{"a": {}}},
		"which is no":          {Groups: map[string][]string{"a": {"town"}}},
		"rules of its own":     {Groups: map[string][]string{"a": {"city"}}, Fields: map[string][]string{"city": {"latest"}}},
		"name of an attribute": {Groups: map[string][]string{"name": {"city"}}},
	} {
		errs := survivorship.Check(def, attributes)
		if len(errs) != 1 || weir.CodeOf(errs[0]) != weir.Invalid || !strings.Contains(errs[0].Error(), part) {
			t.Errorf("%q: %v", part, errs)
		}
	}
	good := weir.Survivorship{Default: []string{"source(crm)", "latest"}, Fields: map[string][]string{"address": {"longest"}}, Groups: map[string][]string{"address": {"street", "city"}}}
	if errs := survivorship.Check(good, attributes); len(errs) > 0 {
		t.Error(errs)
	}
}
