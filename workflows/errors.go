package workflows

import (
	"errors"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// Cause translates what a workflow, a child or an activity failed with back into
// an error of Weir; nil stays nil.
func Cause(err error) *weir.Error {
	if err == nil {
		return nil
	}
	var own *weir.Error
	if errors.As(err, &own) {
		return own
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		e := &weir.Error{Code: codeOf(app.Type()), Message: app.Message()}
		var f activities.Fault
		if app.HasDetails() && app.Details(&f) == nil {
			e.Where, e.Next = f.Where, f.Next
		}
		return e
	}
	var ended *temporal.TerminatedError
	var late *temporal.TimeoutError
	switch {
	case taken(err):
		return weir.Errorf(weir.Conflict, "another run is at it").Then("wait until it ends; weir status shows it")
	case temporal.IsCanceledError(err):
		return weir.Errorf(weir.Conflict, "the run was cancelled").Then("weir run starts anew; what was committed stays")
	case errors.As(err, &ended):
		return weir.Errorf(weir.Conflict, "the run was terminated").Then("weir run starts anew; what was committed stays")
	case errors.As(err, &late):
		return weir.Errorf(weir.Unavailable, "no answer in time (%s)", late.TimeoutType()).Then("check that a worker runs: weir status")
	}
	return weir.Errorf(weir.Internal, "%s", activities.Bound(err.Error()))
}

func codeOf(kind string) weir.Code {
	switch c := weir.Code(kind); c {
	case weir.Invalid, weir.NotFound, weir.Conflict, weir.Unavailable, weir.Denied, weir.Partial:
		return c
	}
	return weir.Internal
}

// failure is what a workflow ends with: one clean error instead of a chain of
// wrappers. A cancellation stays one, so that Temporal shows it as such.
func failure(err error, details ...any) error {
	if temporal.IsCanceledError(err) {
		return err
	}
	e := Cause(err)
	return temporal.NewApplicationErrorWithOptions(e.Message, string(e.Code), temporal.ApplicationErrorOptions{
		NonRetryable: true,
		Details:      append([]any{activities.Fault{Where: e.Where, Next: e.Next}}, details...),
	})
}

// taken says that a child could not start because its id, its lock, is in use.
func taken(err error) bool {
	var e *temporal.ChildWorkflowExecutionAlreadyStartedError
	var mocked *serviceerror.WorkflowExecutionAlreadyStarted // what the test server gives
	return errors.As(err, &e) || errors.As(err, &mocked)
}
