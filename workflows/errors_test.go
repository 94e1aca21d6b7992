package workflows

import (
	"errors"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

func TestCauseTurnsEncodeBack(t *testing.T) {
	for _, code := range []weir.Code{weir.Invalid, weir.NotFound, weir.Conflict, weir.Unavailable, weir.Denied, weir.Partial, weir.Internal} {
		want := weir.Errorf(code, "what").At("where").Then("next")
		got := Cause(activities.Encode(want, 1))
		if got.Code != code || got.Error() != want.Error() {
			t.Errorf("%s: got %v", code, got)
		}
		if again := Cause(failure(got)); again.Code != code || again.Error() != want.Error() {
			t.Errorf("%s: through a workflow: %v", code, again)
		}
	}
}

func TestCauseOfOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		code weir.Code
	}{
		{temporal.NewCanceledError(), weir.Conflict},
		{temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_HEARTBEAT, nil), weir.Unavailable},
		{temporal.NewApplicationError("x", "*errors.errorString"), weir.Internal},
		{errors.New("x"), weir.Internal},
	} {
		if got := Cause(c.err); got.Code != c.code {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
	if Cause(nil) != nil {
		t.Error("nil is not nil")
	}
}
