package stages

import (
	"os"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// reconciliation is the query of docs/consent.md that holds deliveries against
// decisions.
func reconciliation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/consent.md")
	if err != nil {
		t.Fatal(err)
	}
	_, query, found := strings.Cut(string(text), "```sql\n")
	query, _, closed := strings.Cut(query, "```")
	if !found || !closed || !strings.Contains(query, "activation.deliveries") {
		t.Fatal("docs/consent.md has no query that reconciles")
	}
	return query
}

func (w *world) unreconciled() []string {
	w.t.Helper()
	q, err := w.House.ask(w.t.Context(), "activation.deliveries", "activation.state", "consent.decisions", "consent.classes")
	if err != nil {
		w.t.Fatal(err)
	}
	defer q.close()
	found, err := q.column(w.t.Context(), "select problem || ' ' || profile_id from ("+reconciliation(w.t)+") order by 1")
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// reconciles fails if anything was sent without an allow, or is held undecided.
func (w *world) reconciles() {
	w.t.Helper()
	if found := w.unreconciled(); len(found) > 0 {
		w.t.Fatalf("%v%s", found, w.story())
	}
}

// The query finds what it is for.
func TestReconciliationFindsWhatWasNotAllowed(t *testing.T) { // invariant 6
	w := one(t)
	w.must(weir.Decide, "")
	w.must(weir.Activate, "esp")
	w.reconciles()
	late := weir.Delivery{ID: "forged", RunID: "r", Activation: "news", Destination: "esp", ProfileID: "nobody", DeliveredKey: "x@x.org", Op: weir.Add, DecisionID: "none", Sequence: 1, Status: "delivered", Attempts: 1, At: noon}
	put(w.village, schema.Named("activation.deliveries"), weir.Activate, "esp", append(ledger[weir.Delivery](w, "activation.deliveries", ""), late)...)
	if found := w.unreconciled(); len(found) != 1 || found[0] != "sent without an allow in force nobody" {
		t.Errorf("%v", found)
	}
}
