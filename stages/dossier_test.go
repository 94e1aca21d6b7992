package stages

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// TestEvidenceTellsWhatDecisionsRestOn: said, decided, sent, withdrawn, decided again.
func TestEvidenceTellsWhatDecisionsRestOn(t *testing.T) {
	w := newWorld(t)
	w.people["p1"] = citizen{email: "a@x.org", name: "Jo", member: true}
	w.people["p2"] = citizen{email: "b@x.org", name: "Bo", member: true}
	w.say("a@x.org", weir.Granted)
	w.say("b@x.org", weir.Granted)
	w.settle()
	w.prove()
	w.deliver()
	w.record(withdrawal("a@x.org"))
	w.deliver()
	d, err := w.Evidence(t.Context(), w.project, "p1", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Entries) != 2 || !d.Entries[0].Proven || !d.Entries[1].Proven || d.Entries[0].Said.Value != "a@x.org" {
		t.Fatalf("entries: %+v", d.Entries)
	}
	if len(d.Decisions) != 2 || !d.Decisions[0].Allow || d.Decisions[1].Allow {
		t.Fatalf("decisions: %+v", d.Decisions)
	}
	if !slices.Equal(d.Decisions[0].RestsOn, []int64{d.Entries[0].Entry}) || !slices.Equal(d.Decisions[1].RestsOn, []int64{d.Entries[0].Entry, d.Entries[1].Entry}) {
		t.Errorf("rests on %v and %v", d.Decisions[0].RestsOn, d.Decisions[1].RestsOn)
	}
	if r := d.Decisions[1].Rules; len(r) == 0 || r[0].Law == "" || len(r[0].Links) == 0 {
		t.Errorf("rules of the denial: %+v", r)
	}
	if !strings.HasPrefix(d.Decisions[0].LedgerHead, "1:") || !strings.HasPrefix(d.Decisions[1].LedgerHead, "2:") {
		t.Errorf("heads %s and %s", d.Decisions[0].LedgerHead, d.Decisions[1].LedgerHead)
	}
	if len(d.Sent) != 2 || d.Sent[0].Op != weir.Add || d.Sent[1].Op != weir.Remove {
		t.Errorf("sent: %+v", d.Sent)
	}
	var page bytes.Buffer
	if err := d.WritePage(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a@x.org", "withdrawn", "call 17", "denied", "allowed", d.Head, "color-scheme", "@media print", d.Entries[1].LeafHash} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"b@x.org", "<script", "http://", "src="} {
		if strings.Contains(page.String(), never) {
			t.Errorf("the page holds %q", never)
		}
	}
	if d, err := w.Evidence(t.Context(), w.project, "nobody@x.org", w.clock); err != nil || len(d.Entries) != 0 {
		t.Error(d, err)
	}
}
