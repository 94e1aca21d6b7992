package stages

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/vault"
)

// A forgetting that is cut off at any of its writes, and done again, leaves the salt
// in no object of the store.
func TestForgettingCutOffIsDoneByDoingItAgain(t *testing.T) {
	w := newWorld(t)
	writes := func(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }
	w.counts.Store(&writes)
	cuts, late := 0, 0
	for k := int64(1); ; k++ {
		email := fmt.Sprintf("p%d@x.org", k)
		w.tellStream("crm/o", statement("crm/o/"+email, email, weir.Granted, noon))
		w.prove()
		salt, ok, err := vault.Open(w.Lake.Store(), nil).Salt(t.Context(), vault.IndexOf("email", email))
		if err != nil || !ok {
			t.Fatal("no salt", err)
		}
		order := Forgetting{Addresses: weir.Identifiers{"email": {email}}, Author: "dpo", Reason: "request 77", Held: true}
		failed := w.crashing(k, func(ctx context.Context) error { _, err := w.ForgetConsents(ctx, order); return err })
		if failed != nil {
			cuts++
		}
		switch _, err := w.ForgetConsents(t.Context(), order); {
		case weir.CodeOf(err) == weir.NotFound:
			if failed != nil {
				late++
			}
		case err != nil || failed == nil:
			t.Fatalf("cut at %d: %v, then %v", k, failed, err)
		}
		for o, err := range w.Lake.Store().List(t.Context(), vault.Prefix) {
			if err != nil {
				t.Fatal(err)
			}
			b, err := w.Lake.Store().ReadFile(t.Context(), o.Key)
			if err != nil || strings.Contains(string(b), string(salt[:])) {
				t.Fatalf("cut at %d: the salt is still in %s (%v)", k, o.Key, err)
			}
		}
		if failed == nil {
			break // the whole of it takes fewer writes
		}
	}
	if cuts < 3 {
		t.Errorf("%d cuts broke it off", cuts)
	}
	t.Logf("%d cuts broke it off, %d after the salt had gone", cuts, late) // how many of these depends on when the end is noticed
	w.sound()
}
