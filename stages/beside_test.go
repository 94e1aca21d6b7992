package stages

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/weir-cdp/weir"
)

// Another run decides on a withdrawal while this one plans with the audience from
// before: what it sends is checked against the consents that its own audience knew.
func TestWithdrawalDecidedWhilePlanning(t *testing.T) { // invariant 6
	w := one(t)
	w.must(weir.Decide, "")
	beside, mine := w.next(), w.next()
	w.say("a@x.org", weir.Withdrawn)
	var once sync.Once
	var failed error
	planning := func(r *http.Request) bool { // called within the store's answer to a request of the plan
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/plan.parquet") {
			once.Do(func() {
				w.tell()
				_, failed = w.pass(weir.Decide, "", beside)
			})
		}
		return false
	}
	w.counts.Store(&planning)
	row, err := w.pass(weir.Activate, "esp", mine)
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	if w.tool.calls != 0 || row.Counts["news.add.stopped"] != 1 {
		t.Fatalf("%d calls, %s %v%s", w.tool.calls, row.Status, row.Counts, w.story())
	}
}
