package pipelines

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// TestAMachinesTroubleNamesIt: a full disk is one machine's, a rule that does not compile
// everybody's.
func TestAMachinesTroubleNamesIt(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	s, spec := newBench(t, 0).store, &Spec{Scratch: "runs/r/segment/scratch/"}
	for _, x := range []struct {
		code  weir.Code
		named bool
	}{{weir.Unavailable, true}, {weir.Invalid, false}} {
		if err := ForgetFailure(t.Context(), s, spec); err != nil {
			t.Fatal(err)
		}
		was := weir.Errorf(x.code, "a trouble").At("there").Then("mend it")
		if err := LeaveFailure(t.Context(), s, spec, was); err != nil {
			t.Fatal(err)
		}
		got := ReadFailure(t.Context(), s, spec)
		var e *weir.Error
		if !errors.As(got, &e) || e.Code != x.code || e.Where != was.Where || e.Next != was.Next || strings.Contains(got.Error(), host) != x.named {
			t.Errorf("got %v", got)
		}
	}
}
