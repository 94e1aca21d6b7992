package stages

import (
	"context"
	"maps"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/weir-cdp/weir"
)

// guillotine stands before a store and ends a process at its n-th write: before it
// arrives or after. Nothing that the process still tries arrives.
type guillotine struct {
	left  atomic.Int64 // writes until then; 0: never
	after bool
	end   context.CancelFunc
	dead  atomic.Bool
}

func (g *guillotine) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		writes := r.Method != http.MethodGet && r.Method != http.MethodHead
		last := writes && !g.dead.Load() && g.left.Load() > 0 && g.left.Add(-1) == 0
		if last {
			g.dead.Store(true)
			g.end()
		}
		if writes && g.dead.Load() && !(last && g.after) {
			http.Error(rw, "", http.StatusForbidden)
			return
		}
		next.ServeHTTP(rw, r)
	})
}

// A split that is cut off at any of its writes is recorded whole or not at all, and
// whoever asks for it again gets it.
func TestSplitCutOffIsThereWholeOrNotAtAll(t *testing.T) {
	for _, after := range []bool{false, true} {
		g := &guillotine{after: after}
		r := registryOf(villageBehind(t, g.wrap)).couple()
		before := r.links()
		order := DecisionOrder{Do: DoSplit, A: "email:home@x.fr", Identifiers: []string{"phone:+33600000002"}}
		rows := func(d Draft) int {
			return len(rowsOf[weir.IdentityDecision](r, decisionsTable, "where decision_id = '"+d.ID+"'"))
		}
		r.decide(DecisionOrder{Do: DoUnlink, A: "crm/c/1", B: "crm/c/3"}) // so that there is a table
		cut := int64(0)
		for failed := true; failed; {
			cut++
			d := r.draft(order)
			var ctx context.Context
			ctx, g.end = context.WithCancel(t.Context())
			g.left.Store(cut)
			err := r.RecordDecision(ctx, d)
			g.end()
			g.left.Store(0)
			g.dead.Store(false)
			if n := rows(d); n != 0 && n != 4 || err == nil && n != 4 {
				t.Fatalf("cut at write %d (%v): %d rows of a decision about 4 records", cut, err, n)
			}
			if !maps.Equal(before, r.links()) {
				t.Fatal("what is recorded has changed links before a run")
			}
			if err := r.RecordDecision(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if n := rows(d); n != 4 {
				t.Fatalf("cut at write %d and asked again: %d rows", cut, n)
			}
			failed = err != nil
		}
		if cut < 4 {
			t.Errorf("only %d cuts broke a recording off", cut-1)
		}
		r.settle(three...) // the same was decided several times: as if once
		links := r.links()
		if links["crm/c/1"] != links["shop/c/1"] || links["crm/c/2"] != links["shop/c/2"] || links["crm/c/1"] == links["crm/c/2"] || len(links) != len(before) {
			t.Errorf("links %v", links)
		}
	}
}
