package stages

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
)

// peopled is a registry of n people, most of them in two systems that share no
// identifier, whom only a model can put together.
func peopled(t *testing.T, n int) *registry {
	r := newRegistry(t)
	r.project.Identity[0].Model = &weir.ModelDef{Auto: true}
	r.types = map[string]weir.AttributeType{}
	for _, a := range []string{"given_name", "family_name", "birth_date", "city"} {
		r.types[a] = weir.Text
	}
	rnd := rand.New(rand.NewPCG(5, 5))
	given := []string{"anna", "marc", "lucie", "paul", "emma", "hugo", "lea", "louis", "chloe", "jules", "nina", "felix", "ines", "rose", "adam", "noe"}
	syllables := []string{"mar", "tin", "du", "bois", "le", "fevre", "gi", "rard", "mo", "reau", "lau", "rent", "si", "mon", "mi", "chel"}
	pick := func(s []string) string { return s[rnd.IntN(len(s))] }
	for i := range n {
		a := map[string]string{"given_name": pick(given), "family_name": pick(syllables) + pick(syllables) + pick(syllables),
			"birth_date": fmt.Sprintf("%d-%02d-%02d", 1940+rnd.IntN(65), 1+rnd.IntN(12), 1+rnd.IntN(28)), "city": "ville " + pick(syllables)}
		r.person(fmt.Sprintf("crm/%04d", i), a, fmt.Sprintf("email=u%d@x.fr", i))
		if i%4 == 0 {
			continue
		}
		b := maps.Clone(a)
		switch i % 10 {
		case 1:
			b["family_name"] = a["family_name"][:len(a["family_name"])-1]
		case 2:
			delete(b, "birth_date")
		case 3:
			b["city"] = "ville " + pick(syllables)
			b["given_name"] = a["given_name"][:1]
		case 5:
			delete(b, "birth_date")
			delete(b, "city")
		}
		r.person(fmt.Sprintf("shop/%04d", i), b, fmt.Sprintf("customer_id=%d", i))
		r.order("customer_id", fmt.Sprint(i))
		r.order("email", fmt.Sprintf("u%d@x.fr", i))
	}
	return r
}

func (r *registry) person(id string, attributes map[string]string, fields ...string) {
	r.add(id, fields...)
	source, key, _ := strings.Cut(id, "/")
	rec := r.records[source+"/c/"+key]
	rec.Attributes = attributes
	r.records[rec.ID] = rec
}

// heads are the current snapshots of all tables, with how many there are.
func (r *registry) heads() map[string]int64 {
	r.t.Helper()
	out := map[string]int64{}
	for _, name := range []string{"core.records", "core.profiles", "core.events", "identity.links", "identity.edges", "identity.merges", "identity.moves", "identity.runs",
		"identity.models", "identity.candidates", "identity.identifiers", "segment.memberships", "ops.runs", "ops.quarantine"} {
		var all []lakehouse.Snapshot
		all, err := r.Lake.Snapshots(r.t.Context(), name)
		if err != nil && weir.CodeOf(err) != weir.NotFound {
			r.t.Fatal(err)
		}
		for _, s := range all {
			out[name] ^= s.ID
		}
	}
	return out
}

func (r *registry) members() map[string][]string {
	out := map[string][]string{}
	for _, m := range rowsOf[weir.Membership](r, "segment.memberships", "") {
		out[m.Segment] = append(out[m.Segment], m.ProfileID)
	}
	return out
}

// grouped gives the sets of records of each profile.
func groupedBy(links map[string]string) map[string][]string {
	out := map[string][]string{}
	for _, rec := range slices.Sorted(maps.Keys(links)) {
		out[links[rec]] = append(out[links[rec]], rec)
	}
	return out
}

// crossing counts the groups of one side that hold members of several of the other.
func crossing(of, other map[string]string) (n int64) {
	for _, records := range groupedBy(of) {
		in := map[string]bool{}
		for _, rec := range records {
			in[other[rec]] = true
		}
		if len(in) > 1 {
			n++
		}
	}
	return n
}

// What a comparison says is what a run then does, and it changes nothing.
func TestDiffIsWhatARunThenDoes(t *testing.T) {
	r := peopled(t, 120)
	auto := r.project.Identity[0].Model
	r.project.Identity[0].Model = nil
	r.settle(three...)
	for _, change := range []struct {
		what string
		do   func(d *weir.IdentityDef)
	}{
		{"with a model", func(d *weir.IdentityDef) { d.Model = auto }},
		{"with a rule beside it", func(d *weir.IdentityDef) {
			d.Rules = []weir.MatchRule{{Name: "birthday_and_city", Match: []string{"city", "given_name"}}}
		}},
		{"without both", func(d *weir.IdentityDef) { d.Model, d.Rules = nil, nil }},
	} {
		before, members, heads := r.links(), r.members(), r.heads()
		next := *r.project
		next.Identity = slices.Clone(next.Identity)
		change.do(&next.Identity[0])
		d, err := r.DiffIdentity(t.Context(), &next, DiffOrder{Run: "diff-1"}, nil)
		if err != nil {
			t.Fatal(change.what, err)
		}
		if diff := cmp.Diff(heads, r.heads()); diff != "" {
			t.Fatalf("%s: a comparison changed tables: %s", change.what, diff)
		}
		left := 0
		for info, err := range r.Lake.Store().List(t.Context(), "runs/diff-1") {
			if err != nil {
				t.Fatal(err)
			}
			left++
			t.Log(info.Key)
		}
		if left > 0 {
			t.Errorf("%s: %d objects are left", change.what, left)
		}
		r.project = &next
		r.settle(three...)
		after := r.links()
		moved := int64(0)
		for rec, p := range before {
			if after[rec] != p {
				moved++
			}
		}
		want := IdentityDiff{Records: int64(len(before)), Profiles: [2]int64{int64(len(groupedBy(before))), int64(len(groupedBy(after)))},
			Moved: moved, Merged: crossing(after, before), Split: crossing(before, after)}
		got := IdentityDiff{Records: d.Records, Profiles: d.Profiles, Moved: d.Moved, Merged: d.Merged, Split: d.Split}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", change.what, diff)
		}
		if moved == 0 {
			t.Errorf("%s nothing moved: the test shows nothing", change.what)
		}
		r.sameSegments(change.what, d.Segments, members, r.members())
		r.sameRates(change.what, d.Rates)
		for _, e := range d.Examples {
			for _, p := range e.Parts {
				for _, rec := range p.Records {
					if e.Change == "merged" && (after[rec] != e.Profile || before[rec] != p.Profile) || e.Change == "split" && (before[rec] != e.Profile || after[rec] != p.Profile) {
						t.Errorf("%s: example %+v of record %s", change.what, e, rec)
					}
				}
			}
		}
	}
}

func (r *registry) sameSegments(what string, got []SegmentResize, before, after map[string][]string) {
	r.t.Helper()
	for name := range after {
		s := SegmentResize{Segment: name, Before: int64(len(before[name])), After: int64(len(after[name]))}
		for _, id := range after[name] {
			if !slices.Contains(before[name], id) {
				s.Enter++
			}
		}
		s.Exit = s.Before + s.Enter - s.After
		i := slices.IndexFunc(got, func(x SegmentResize) bool { return x.Segment == name })
		if s.Enter+s.Exit == 0 && i >= 0 || s.Enter+s.Exit > 0 && (i < 0 || got[i] != s) {
			r.t.Errorf("%s: segments %+v, not %+v", what, got, s)
		}
	}
}

// sameRates compares with what the run itself counted.
func (r *registry) sameRates(what string, got []RateShift) {
	r.t.Helper()
	rates, _, err := r.MatchRates(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, want := range rates {
		i := slices.IndexFunc(got, func(x RateShift) bool { return string(x.Kind) == want.Kind && x.Rule == want.Rule })
		if i < 0 && want.Matched > 0 || i >= 0 && (got[i].After != want.Matched || got[i].Records != want.Records) {
			r.t.Errorf("%s: rates %+v, the run has %+v", what, got, want)
		}
	}
}

// A sample sees whole profiles: of each it says what a comparison of all says.
func TestDiffOfASample(t *testing.T) {
	r := peopled(t, 120)
	auto := r.project.Identity[0].Model
	r.project.Identity[0].Model = nil
	r.settle(three...)
	before := r.links()
	r.project.Identity[0].Model = auto
	heads := r.heads()
	d, err := r.DiffIdentity(t.Context(), r.project, DiffOrder{Run: "diff-2", Share: 0.4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(heads, r.heads()); diff != "" {
		t.Fatal(diff)
	}
	for info, err := range r.Lake.Store().List(t.Context(), "core/records/") {
		if err != nil || strings.Contains(info.Key, "rehearsal") {
			t.Errorf("%s is left: %v", info.Key, err)
		}
	}
	r.settle(three...)
	after := r.links()
	var looked, merged int64
	seen := map[string]bool{}
	for _, rec := range slices.Sorted(maps.Keys(before)) {
		if !inSample(before[rec], 0.4) {
			continue
		}
		looked++
		for other, p := range before {
			if !seen[after[rec]] && after[other] == after[rec] && p != before[rec] {
				merged++
				seen[after[rec]] = true
			}
		}
	}
	if d.Records != looked || looked == 0 || looked == int64(len(before)) {
		t.Errorf("%d records looked at, %d are in the sample of %d", d.Records, looked, len(before))
	}
	if d.Merged != merged || merged == 0 {
		t.Errorf("%d profiles merged in the sample, the run merged %d", d.Merged, merged)
	}
	if len(d.Approximate) == 0 {
		t.Error("it does not say what is approximated")
	}
}

func TestDiffAgainstAnother(t *testing.T) {
	r := peopled(t, 60)
	r.settle(three...)
	plain := *r.project
	plain.Identity = slices.Clone(plain.Identity)
	plain.Identity[0].Model = nil
	d, err := r.DiffIdentity(t.Context(), r.project, DiffOrder{Run: "diff-3", Against: &plain}, nil)
	if err != nil {
		t.Fatal(err)
	}
	same, err := r.DiffIdentity(t.Context(), r.project, DiffOrder{Run: "diff-4"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if same.Moved+same.Merged+same.Split != 0 || d.Merged == 0 || d.Profiles[0] <= d.Profiles[1] || d.Profiles[1] != same.Profiles[1] {
		t.Errorf("against rules alone %+v, against what is current %+v", d, same)
	}
}
