package webhook_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

// A template sends the fields that it names: a link that it leaves out is none that a
// row can be sent with.
func TestATemplateSendsWhatItNames(t *testing.T) {
	for name, x := range map[string]struct {
		template string
		mode     string
		sends    []string // of email, optout_link and consent
	}{
		"none":            {"", "batch", []string{"email", "optout_link", "consent"}},
		"named":           {`{"users": [{{range $i, $r := .Rows}}{{if $i}},{{end}}{"e": {{.Fields.email}}, "l": {{.Fields.optout_link}}}{{end}}]}`, "batch", []string{"email", "optout_link"}},
		"not named":       {`{"e": {{.Fields.email}}}`, "single", []string{"email"}},
		"within a text":   {`{"t": "leave: {{text .Fields.optout_link}}"}`, "single", []string{"optout_link"}},
		"all, one by one": {`{ {{range $k, $v := .Fields}}"{{$k}}": {{$v}}, {{end}} "key": {{.Key}} }`, "single", []string{"email", "optout_link", "consent"}},
		"asked, not sent": {`{"has": {{if .Fields.optout_link}}true{{else}}false{{end}}}`, "single", nil},
	} {
		d := dial(t, map[string]any{"url": "http://127.0.0.1:1", "template": x.template, "mode": x.mode})
		var got []string
		for _, f := range []string{"email", "optout_link", "consent"} {
			if d.(connectors.FieldSender).Sends(f) {
				got = append(got, f)
			}
		}
		if !slices.Equal(got, x.sends) {
			t.Errorf("%s: sends %v, want %v", name, got, x.sends)
		}
		can := d.Capabilities().Obligations
		if !slices.Contains(can, permit.PartitionByClass) || slices.Contains(can, permit.IncludeOptOutLink) != slices.Contains(x.sends, "optout_link") {
			t.Errorf("%s: carries out %v", name, can)
		}
	}
}

// The receiver is told the class that a request's rows share, where they are to be kept
// apart by it, and only there.
func TestARequestNamesTheClassOfItsRows(t *testing.T) {
	for template, form := range map[string]string{"": `"class":"c1"`, `{"part": {{.Class}}, "n": {{len .Rows}}}`: `"part": "c1"`} {
		r := newReceiver(t)
		d := dial(t, map[string]any{"url": r.URL, "template": template})
		for _, apart := range []bool{true, false} {
			p := permittest.Permit{Activation: "vip", Run: permittest.Run(t, "1"), ClassID: "c1"}
			if apart {
				p.Obligations = map[string]string{permit.PartitionByClass: "yes"}
			}
			if _, err := d.Deliver(t.Context(), permittest.BatchOf(t, p, person(1), person(2))); err != nil {
				t.Fatal(err)
			}
			sent := r.sent()
			if body := sent[len(sent)-1].body; strings.Contains(body, form) != apart {
				t.Errorf("apart %v: %s", apart, body)
			}
		}
	}
}
