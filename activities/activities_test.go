package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/weir-cdp/weir"
)

// scripted is a stage whose run step is a function.
type scripted struct {
	Stage
	run func(ctx context.Context, progress func(weir.Progress)) (string, error)
}

func (s scripted) Run(ctx context.Context, _ string, progress func(weir.Progress)) (string, error) {
	return s.run(ctx, progress)
}

func (s scripted) Fail(ctx context.Context, _ weir.Run, _, _ string) error {
	_, err := s.run(ctx, nil)
	return err
}

func environment(t *testing.T, run func(context.Context, func(weir.Progress)) (string, error)) (*testsuite.TestActivityEnvironment, *Stages) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	log := slog.New(slog.DiscardHandler)
	stages := &Stages{Of: map[weir.Stage]Stage{weir.Unify: scripted{run: run}}, Log: log}
	Register(env, stages, &Streams{Log: log}, &Notices{Log: log}, &Upkeep{}, &Policies{Log: log})
	return env, stages
}

func fails(t *testing.T, run func(context.Context, func(weir.Progress)) (string, error)) *temporal.ApplicationError {
	t.Helper()
	env, _ := environment(t, run)
	_, err := env.ExecuteActivity(RunName, RunInput{Stage: weir.Unify, Spec: "s"})
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		t.Fatalf("got %v", err)
	}
	return app
}

func TestProgressIsTheHeartbeat(t *testing.T) {
	arrived := make(chan struct{})
	env, _ := environment(t, func(ctx context.Context, progress func(weir.Progress)) (string, error) {
		progress(weir.Progress{Done: 3, Total: 9, Unit: "rows", Note: "step 1"})
		select {
		case <-arrived:
			return "manifest", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	var once sync.Once
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var p weir.Progress
		if details.Get(&p) == nil && p == (weir.Progress{Done: 3, Total: 9, Unit: "rows", Note: "step 1"}) {
			once.Do(func() { close(arrived) })
		}
	})
	out, err := env.ExecuteActivity(RunName, RunInput{Stage: weir.Unify, Spec: "s"})
	if err != nil {
		t.Fatal(err)
	}
	var manifest string
	if err := out.Get(&manifest); err != nil || manifest != "manifest" {
		t.Fatalf("got %q, %v", manifest, err)
	}
}

func TestPanicIsAnErrorWithoutItsValue(t *testing.T) {
	app := fails(t, func(context.Context, func(weir.Progress)) (string, error) { panic("jane@example.org") })
	if app.Type() != string(weir.Internal) || strings.Contains(app.Error(), "jane") {
		t.Errorf("got %v", app)
	}
}

func TestUnknownStage(t *testing.T) {
	env, _ := environment(t, nil)
	_, err := env.ExecuteActivity(PlanName, PlanInput{Stage: "polish"})
	if err == nil || !strings.Contains(err.Error(), `no stage "polish"`) {
		t.Errorf("got %v", err)
	}
}

func TestWorkerStopInterruptsTheStep(t *testing.T) {
	env, _ := environment(t, func(ctx context.Context, _ func(weir.Progress)) (string, error) {
		<-ctx.Done()
		if weir.CodeOf(context.Cause(ctx)) != weir.Unavailable {
			t.Errorf("the cause is %v", context.Cause(ctx))
		}
		return "", ctx.Err()
	})
	stop := make(chan struct{})
	env.SetWorkerStopChannel(stop)
	close(stop)
	_, err := env.ExecuteActivity(RunName, RunInput{Stage: weir.Unify, Spec: "s"})
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != string(weir.Unavailable) || app.NonRetryable() {
		t.Errorf("got %v", err)
	}
}

func TestLeftIsNotCancelled(t *testing.T) {
	for name, x := range map[string]struct {
		cause error
		code  weir.Code
	}{
		"the workflow cancels":     {temporal.NewCanceledError(), weir.Internal},
		"nobody says why":          {context.Canceled, weir.Internal},
		"the workflow has ended":   {serviceerror.NewNotFound("activity"), weir.Internal},
		"the server does not hear": {serviceerror.NewUnavailable("away"), weir.Unavailable},
		"the worker is gone":       {worker.ErrWorkerShutdown, weir.Unavailable},
		"too late":                 {context.DeadlineExceeded, weir.Unavailable},
	} {
		if got := weir.CodeOf(left(x.cause)); got != x.code {
			t.Errorf("%s: %s", name, got)
		}
	}
}

type busy struct{ error }

func (busy) RetryAfter() time.Duration { return 7 * time.Second }

type final struct{ error }

func (final) Final() bool { return true }

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		attempt int32
		code    weir.Code
		retried bool
	}{
		{"invalid", weir.Errorf(weir.Invalid, "x"), 1, weir.Invalid, false},
		{"denied", weir.Errorf(weir.Denied, "x"), 1, weir.Denied, false},
		{"not found", weir.Errorf(weir.NotFound, "x"), 1, weir.NotFound, false},
		{"unavailable", weir.Errorf(weir.Unavailable, "x"), 7, weir.Unavailable, true},
		{"unavailable for long", weir.Errorf(weir.Unavailable, "x"), 8, weir.Unavailable, false},
		{"conflict", weir.Errorf(weir.Conflict, "x"), 4, weir.Conflict, true},
		{"unclassified", errors.New("x"), 2, weir.Internal, true},
		{"unclassified thrice", errors.New("x"), 3, weir.Internal, false},
		{"wrapped", fmt.Errorf("read: %w", weir.Errorf(weir.Unavailable, "x")), 1, weir.Unavailable, true},
		{"tried long enough", weir.Errorf(weir.Unavailable, "x: %w", final{errors.New("refused")}), 1, weir.Unavailable, false},
		{"deadline", context.DeadlineExceeded, 1, weir.Unavailable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var app *temporal.ApplicationError
			if !errors.As(Encode(c.err, c.attempt), &app) {
				t.Fatal("not an application error")
			}
			if app.Type() != string(c.code) || app.NonRetryable() == c.retried || errors.Unwrap(app) != nil {
				t.Errorf("got %s, non-retryable %v, cause %v", app.Type(), app.NonRetryable(), errors.Unwrap(app))
			}
		})
	}
	if Encode(nil, 1) != nil {
		t.Error("nil is not nil")
	}
}

// TestEncodeSaysItInWords: what Go calls the end of a context tells a person nothing.
func TestEncodeSaysItInWords(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("read orders.csv: %w", context.Canceled), "read orders.csv: the step was interrupted"},
		{context.DeadlineExceeded, "the step took too long"},
	} {
		var app *temporal.ApplicationError
		if !errors.As(Encode(c.err, 1), &app) || !strings.HasPrefix(app.Message(), c.want) || app.Type() != string(weir.Unavailable) {
			t.Errorf("%v becomes %v", c.err, app)
		}
	}
}

func TestEncodeKeepsTheParts(t *testing.T) {
	err := weir.Errorf(weir.Unavailable, "asked too often: %w", busy{errors.New("429")}).At("crm").Then("wait")
	var app *temporal.ApplicationError
	if !errors.As(Encode(err, 1), &app) {
		t.Fatal("not an application error")
	}
	var f Fault
	if err := app.Details(&f); err != nil {
		t.Fatal(err)
	}
	if app.Message() != "asked too often: 429" || f != (Fault{Where: "crm", Next: "wait"}) || app.NextRetryDelay() != 7*time.Second {
		t.Errorf("got %q, %+v, %v", app.Message(), f, app.NextRetryDelay())
	}
}

func TestBound(t *testing.T) {
	long := Bound(strings.Repeat("é", MaxMessage))
	if len(long) > MaxMessage || !utf8.ValidString(long) || !strings.HasSuffix(long, "…") {
		t.Errorf("%d bytes", len(long))
	}
	if got := Bound("a\nb\x00c\xff"); got != "a b c\uFFFD" {
		t.Errorf("got %q", got)
	}
}
