package signals

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

// vectors reads a file of published strings with their decoded truth.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", name))
	if err != nil {
		t.Skipf("published signals are not here: put them at ../shared/data/%s", name)
	}
	defer f.Close()
	var out []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func TestUSPrivacyStrings(t *testing.T) {
	for _, v := range vectors[struct {
		USP   string
		Valid bool
		Sale  *bool `json:"sale_allowed"`
	}](t, "consent_usp/vectors.jsonl") {
		raw := v.USP
		if strings.TrimSpace(raw) != raw {
			continue // space around a value is a transport's, and is trimmed
		}
		r := Read("usp", raw)
		if (r.Kind == USP) != v.Valid {
			t.Errorf("%q is readable: %v, want %v", raw, r.Kind == USP, v.Valid)
		}
		if v.Valid && v.Sale != nil && r.OptedOut == *v.Sale {
			t.Errorf("%q: opted out %v", raw, r.OptedOut)
		}
	}
}

// anyOne says whether a decoded field, one number or several, holds a 1.
func anyOne(v any) bool {
	if list, ok := v.([]any); ok {
		for _, x := range list {
			if x == 1.0 {
				return true
			}
		}
	}
	return v == 1.0
}

func invalid(d map[string]any) bool {
	for name, v := range d {
		if name == "Version" || name == "GpcSegmentType" {
			continue
		}
		if v == 3.0 {
			return true
		}
	}
	return false
}

var sectionIDs = map[string]int{"UsNat": 7, "UsCa": 8, "UsVa": 9, "UsCo": 10, "UsUt": 11, "UsCt": 12, "UsFl": 13, "UsMt": 14, "UsOr": 15, "UsTx": 16,
	"UsDe": 17, "UsIa": 18, "UsNe": 19, "UsNh": 20, "UsNj": 21, "UsTn": 22, "UsMn": 23, "UsMd": 24, "UsIn": 25, "UsKy": 26, "UsRi": 27}

func checkUS(t *testing.T, id int, text string, d map[string]any) {
	t.Helper()
	r := readUS(id, text)
	if r.Kind == Unreadable {
		if v, _ := d["Version"].(float64); !invalid(d) && (v == 1 || v == 0) {
			t.Errorf("section %d %q is not read", id, text)
		}
		return
	}
	gpc, _ := d["Gpc"].(bool)
	sale, ads := anyOne(d["SaleOptOut"]) || anyOne(d["SharingOptOut"]), anyOne(d["TargetedAdvertisingOptOut"])
	if r.OptedOut != sale || r.OptedOutAds != ads || r.LimitSensitive != anyOne(d["SensitiveDataProcessing"]) || r.GPC != gpc {
		t.Errorf("section %d %q: %+v, want %v", id, text, r, d)
	}
}

// Every published section of a state, against its decoded truth.
func TestSectionsOfTheStates(t *testing.T) {
	seen := map[string]int{}
	for _, v := range vectors[struct {
		Class   string          `json:"section_class"`
		Text    string          `json:"section_string"`
		Decoded json.RawMessage `json:"decoded"`
	}](t, "consent_gpp/section_strings_published.jsonl") {
		id := sectionIDs[v.Class]
		if id == 0 {
			continue
		}
		var d map[string]any
		if v.Decoded == nil || json.Unmarshal(v.Decoded, &d) != nil {
			if r := readUS(id, v.Text); r.Kind != Unreadable {
				t.Logf("%s %q is published as an error, read as %+v", v.Class, v.Text, r)
			}
			continue
		}
		seen[v.Class]++
		checkUS(t, id, v.Text, d)
	}
	for class := range sectionIDs {
		if seen[class] == 0 {
			t.Errorf("no published string of %s", class)
		}
	}
}

func TestGPPStrings(t *testing.T) {
	read := 0
	for _, v := range vectors[struct {
		Text    string `json:"gpp_string"`
		Decoded *struct {
			IDs      []int `json:"sectionIds"`
			Sections map[string]map[string]any
		}
		Error string
	}](t, "consent_gpp/vectors_published.jsonl") {
		r := Read("gpp", v.Text)
		if v.Decoded == nil || r.Kind != GPP {
			continue
		}
		read++
		var sale, ads, gpc bool
		for name, d := range v.Decoded.Sections {
			if strings.HasPrefix(name, "usp") && name != "uspv1" || strings.HasPrefix(name, "us") {
				sale = sale || anyOne(d["SaleOptOut"]) || anyOne(d["SharingOptOut"]) || d["OptOutSale"] == "Y"
				ads = ads || anyOne(d["TargetedAdvertisingOptOut"])
				g, _ := d["Gpc"].(bool)
				gpc = gpc || g
			}
		}
		if r.OptedOut != sale || r.OptedOutAds != ads || r.GPC != gpc {
			t.Errorf("%s: %+v, want sale %v, ads %v, gpc %v", v.Text, r, sale, ads, gpc)
		}
	}
	if read < 10 {
		t.Errorf("only %d strings were read", read)
	}
}

func TestTCStrings(t *testing.T) {
	read := 0
	for _, v := range vectors[struct {
		Text    string `json:"tc_string"`
		Class   string `json:"first_char_class"`
		Decoded *struct {
			Vendors  []int     `json:"vendorConsents"`
			Purposes []int     `json:"purposeConsents"`
			Limits   []any     `json:"publisherRestrictions"`
			Listed   []int     `json:"vendorsDisclosed"`
			Updated  time.Time `json:"lastUpdated"`
		}
		Error string
	}](t, "consent_tcf/vectors_published.jsonl") {
		r := Read("tcf", v.Text)
		if v.Class != "tcf_v2" && r.Kind != Unreadable {
			t.Errorf("%s is not version 2, and is read", v.Text)
		}
		if v.Decoded == nil || r.TC == nil || len(v.Decoded.Limits) > 0 {
			continue
		}
		read++
		has := func(list []int, n int) bool {
			for _, x := range list {
				if x == n {
					return true
				}
			}
			return false
		}
		for vendor := 1; vendor < 900; vendor++ {
			for purpose := 1; purpose < 12; purpose++ {
				want := Denied
				if has(v.Decoded.Vendors, vendor) && has(v.Decoded.Purposes, purpose) && (len(v.Decoded.Listed) == 0 || has(v.Decoded.Listed, vendor)) {
					want = Granted
				}
				got := r.TC.Vendor(vendor, []int{purpose})
				if len(v.Decoded.Listed) == 0 && r.TC.disclosed == nil && !v.Decoded.Updated.Before(disclosedSince) {
					want = Unknown
				}
				if got != want && !(r.TC.disclosed != nil && len(v.Decoded.Listed) == 0 && got == Denied) {
					t.Fatalf("%s: vendor %d, purpose %d: %s, want %s", v.Text, vendor, purpose, got, want)
				}
			}
		}
	}
	if read < 10 {
		t.Errorf("only %d strings were read", read)
	}
}

// A string of April 2026 without disclosed vendors is not valid; the same one of
// 2020 was.
func TestDisclosedVendorsAreNeededSince2026(t *testing.T) {
	old := "COzSDo9OzSDo9B9AAAENAiCAALAAAAAAAAAACOQAQCOAAAAA" // 2020; vendor 284, purposes 1, 3 and 4
	r := Read("", old)
	if r.Kind != TCF || r.TC.Vendor(284, []int{1, 3}) != Granted || r.TC.Vendor(284, []int{2}) != Denied || r.TC.Vendor(285, []int{1}) != Denied {
		t.Fatalf("%+v", r)
	}
	r.TC.updated = time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
	if got := r.TC.Vendor(284, []int{1, 3}); got != Unknown {
		t.Error(got)
	}
	r.TC.disclosed = func(v int) bool { return v == 284 }
	if got := r.TC.Vendor(284, []int{1, 3}); got != Granted {
		t.Error(got)
	}
	r.TC.disclosed = func(v int) bool { return false }
	if got := r.TC.Vendor(284, []int{1, 3}); got != Denied {
		t.Error(got)
	}
}

func TestGoogleAndGPC(t *testing.T) {
	for raw, want := range map[string]bool{`{"ad_user_data":"granted","ad_personalization":"granted"}`: true, `{"ad_user_data":"granted"}`: false,
		`{"ad_user_data":"granted","ad_personalization":"denied"}`: false, "11t1t1t1p5": false, "11t1t1t1t5": true, "11p1p1p1p5": false} {
		if r := Read("google", raw); r.Kind != Google || r.GoogleGranted != want {
			t.Errorf("%s: %+v", raw, r)
		}
	}
	for raw, want := range map[string]Reading{"1": {Kind: GPC, GPC: true}, "": {Kind: GPC, GPC: true}, "0": {Kind: GPC}, "perhaps": {}} {
		if r := Read("gpc", raw); r != want {
			t.Errorf("%q: %+v", raw, r)
		}
	}
	for _, raw := range []string{"{", "11x1t1t1t5", "11t1t1t1t", "[]"} {
		if r := Read("google", raw); r.Kind != Unreadable {
			t.Errorf("%s: %+v", raw, r)
		}
	}
}

func TestExpand(t *testing.T) {
	e := weir.Consent{ID: "1", Kind: "anonymous_id", Value: "d", Purpose: "x", Action: weir.Signal, Method: "usp", RawSignal: "1YYN"}
	if got := Expand(e); len(got) != 1 || got[0].Action != weir.OptedOut || got[0].Purpose != "" || got[0].ID != "1" {
		t.Errorf("%+v", got)
	}
	e.RawSignal = "1YNN"
	if got := Expand(e); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	e.RawSignal = "1Y?N" // unknown, hence as strict as can be
	if got := Expand(e); len(got) != 1 || got[0] != e {
		t.Errorf("%+v", got)
	}
	e.Action = weir.Granted
	if got := Expand(e); len(got) != 1 || got[0] != e {
		t.Errorf("%+v", got)
	}
}

// Whatever comes, it is read or it is not: no panic, and nothing unreadable
// permits anything.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"1YNN", "DBABh4A~BlgWEYCY.QA~BSFgmiU", "COzSDo9OzSDo9B9AAAENAiCAALAAAAAAAAAACOQAQCOAAAAA", "BVWSSSSVYA.YA", `{"ad_user_data":"granted"}`, "11t1t1t1p5", "C.....", "DB~~~"} {
		for _, m := range []string{"", "tcf", "gpp", "usp", "gpc", "google"} {
			f.Add(m, s)
		}
	}
	f.Fuzz(func(t *testing.T, method, raw string) {
		r := Read(method, raw)
		if r.Kind == Unreadable && (r.TC != nil || r.GoogleGranted) {
			t.Errorf("%+v", r)
		}
		if r.TC != nil {
			r.TC.Vendor(755, []int{1})
		}
	})
}
