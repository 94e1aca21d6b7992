package project

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
)

// withContact is the good project with a contact.yaml and more segments.
func withContact(contact, activation string) map[string]string {
	return map[string]string{
		"contact.yaml":              contact,
		"segments/vip.yaml":         "where: {attribute: email, exists: true}\n",
		"segments/companies.yaml":   "of: account\nwhere: {attribute: email, exists: true}\n",
		"segments/convalesced.yaml": "categories: [health]\nwhere: {attribute: email, exists: true}\n",
		"activations/letter.yaml": `segment: vip
destination: news
purpose: marketing.newsletter
channel: email
mode: mirror
key: email
` + activation,
	}
}

func TestContact(t *testing.T) {
	t.Parallel()
	p, err := Load(write(t, withContact(`
suppress: convalesced
waterfalls: {tiers: [sick, vip]}
pressure: [{channel: email, at_most: 2, within: 7d}, {at_most: 9, within: 1mo}, {at_most: 3, during: this_week}]
priority: [letter]
`, "waterfall: tiers\nsuppress: [sick, convalesced]\npressure: counted\n")), known)
	if err != nil {
		t.Fatal(err)
	}
	want := weir.ContactDef{Suppress: []string{"convalesced"}, Waterfalls: []weir.WaterfallDef{{Name: "tiers", Segments: []string{"sick", "vip"}}}, Priority: []string{"letter"},
		Pressure: []weir.PressureDef{{Channel: "email", AtMost: 2, Within: 7 * 24 * 3600e9}, {AtMost: 9, Window: &weir.Window{Within: "1mo"}}, {AtMost: 3, Window: &weir.Window{During: "this_week"}}}}
	if d := cmp.Diff(want, p.Contact); d != "" {
		t.Error(d)
	}
	a, _ := p.Activation("letter")
	if d := cmp.Diff([]string{"convalesced", "sick"}, p.Suppressing(a)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"sick"}, p.Ahead(a)); d != "" {
		t.Error(d)
	}
	if a.Pressure != weir.PressureCounted || strings.Join(a.Categories, " ") != "health" {
		t.Errorf("%+v", a)
	}
}

func TestContactRefused(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ contact, activation, where, part string }{
		{"supress: [vip]", "", "contact.yaml:1", `unknown key "supress"`},
		{"suppress: [sick, vipp]", "", "contact.yaml:1:18", `there is no segment "vipp"`},
		{"suppress: [sick, sick]", "", "contact.yaml:1:18", "segment sick appears twice"},
		{"suppress: [vip]", "", "activations/letter.yaml:1", "nobody of it is ever sent"},
		{"waterfalls:\n  tiers: [vip, sik]", "", "contact.yaml:2:16", `there is no segment "sik"`},
		{"waterfalls: {tiers: [vip]}", "", "contact.yaml:1", "fewer than two segments"},
		{"waterfalls: {tiers: [vip, sick, vip]}", "", "contact.yaml:1", "segment vip appears twice"},
		{"waterfalls: {Tiers: [vip, sick]}", "", "contact.yaml:1", "small letters"},
		{"waterfalls: {tiers: [vip, sick]}", "waterfall: tires", "activations/letter.yaml:7", `contact.yaml has no waterfall "tires"`},
		{"waterfalls: {tiers: [convalesced, sick]}", "waterfall: tiers", "activations/letter.yaml:7", "segment vip is not in waterfall tiers"},
		{"# nothing", "suppress: [companies]", "activations/letter.yaml:7", "segment companies is of: account"},
		{"# nothing", "suppress: [sic]", "activations/letter.yaml:7", `there is no segment "sic"`},
		{"# nothing", "pressure: hold", "activations/letter.yaml:7", `unknown value "hold"`},
		{"priority: [lettre]", "", "contact.yaml:1", `there is no activation "lettre"`},
		{"priority: [letter, letter]", "", "contact.yaml:1:20", "activation letter appears twice"},
		{"pressure: [{channel: emial, at_most: 1, within: 7d}]", "", "contact.yaml:1", `no activation sends by channel "emial"`},
		{"pressure: [{at_most: 0, within: 7d}]", "", "contact.yaml:1", "at least 1"},
		{"pressure: [{within: 7d}]", "", "contact.yaml:1", "no at_most"},
		{"pressure: [{at_most: 1}]", "", "contact.yaml:1", "no window"},
		{"pressure: [{at_most: 1, within: 0d}]", "", "contact.yaml:1", "no time at all"},
		{"pressure: [{at_most: 1, within: 7d, during: this_week}]", "", "contact.yaml:1", "two windows"},
		{"pressure: [{at_most: 1, during: last_week}]", "", "contact.yaml:1", `unknown value "last_week"`},
		{"pressure: {at_most: 1, within: 7d}", "", "contact.yaml:1", "expected a list"},
	} {
		_, err := Load(write(t, withContact(x.contact, x.activation)), known)
		if err == nil || !strings.Contains(err.Error(), x.part) || !strings.Contains(err.Error(), x.where) {
			t.Errorf("%s %s\ngot  %v\nwant %s: %s", x.contact, x.activation, err, x.where, x.part)
		}
		var told Problems
		if x.part == "at least 1" && (!errors.As(err, &told) || len(told) != 1) {
			t.Errorf("%s: one mistake is told as %d: %v", x.contact, len(told), err)
		}
	}
	files := withContact("# nothing", "")
	delete(files, "contact.yaml")
	for _, name := range []string{"contact.yml", "contacts.yaml", "pressure.yaml"} {
		wrong := maps.Clone(files)
		wrong[name] = "suppress: [sick]"
		if _, err := Load(write(t, wrong), known); err == nil || !strings.Contains(err.Error(), "rename it to contact.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
