package policies

import (
	"context"
	"slices"
	"testing"
)

func TestEveryRuleHasItsCases(t *testing.T) {
	pages, revision, err := Document(context.Background(), "")
	if err != nil || revision != mustLoad(t, "").Revision() || len(pages) < 30 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, p := range pages {
		if len(p.Cases) == 0 && p.Code != "B4" { // no built-in purpose lists it
			t.Errorf("no case is about %s %s", p.Code, p.Title)
		}
		if p.Code == "D06" && !slices.ContainsFunc(p.Cases, func(c CaseLine) bool { return c.Name == "5" && c.Want == "deny (D06)" }) {
			t.Errorf("case 5 is not at D06: %+v", p.Cases)
		}
	}
}
