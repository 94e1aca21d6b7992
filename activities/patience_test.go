package activities

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
)

func TestPatienceCountsFromTheFirstFailure(t *testing.T) {
	var p patience
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		step  string
		after time.Duration
		want  bool
	}{
		{"a", 0, false},
		{"b", 20 * time.Second, false},
		{"a", 29 * time.Second, false},
		{"a", 30 * time.Second, true},
		{"a", 31 * time.Second, false}, // told: it begins anew
		{"b", 49 * time.Second, false},
		{"b", 2 * time.Hour, false}, // another day's
		{"b", 2*time.Hour + 30*time.Second, true},
	} {
		if got := p.over(c.step, at.Add(c.after), Patience); got != c.want {
			t.Errorf("%d: step %s after %v is %v", i, c.step, c.after, got)
		}
	}
	p.over("c", at, Patience)
	p.forget("c")
	if p.over("c", at.Add(time.Minute), Patience) {
		t.Error("a step that went well is remembered")
	}
	if len(p.since) != 1 {
		t.Errorf("remembered are %v", p.since)
	}
}

// TestAttendedStepTellsSoon: a step that a person waits for ends once what it needs was
// away for a while, and recording that is tried once.
func TestAttendedStepTellsSoon(t *testing.T) {
	away := weir.Errorf(weir.Unavailable, "no route").At("store:9000").Then("check that it runs")
	for name, c := range map[string]struct {
		attended, fail bool
		err            error
		first, later   bool // whether it is final at first, and after a while
	}{
		"attended":             {attended: true, err: away, later: true},
		"unattended":           {err: away},
		"another error":        {attended: true, err: errors.New("x")},
		"recording, attended":  {attended: true, fail: true, err: away, first: true, later: true},
		"recording by oneself": {fail: true, err: away},
	} {
		t.Run(name, func(t *testing.T) {
			env, stages := environment(t, func(context.Context, func(weir.Progress)) (string, error) { return "", c.err })
			try := func() (final bool) {
				t.Helper()
				var err error
				if c.fail {
					_, err = env.ExecuteActivity(FailName, FailInput{Stage: weir.Unify, Run: weir.Run{Attended: c.attended}})
				} else {
					_, err = env.ExecuteActivity(RunName, RunInput{Stage: weir.Unify, Spec: "s", Attended: c.attended})
				}
				var app *temporal.ApplicationError
				var fault Fault
				if !errors.As(err, &app) || app.Details(&fault) != nil || errors.Is(c.err, away) && fault.Next != away.Next {
					t.Fatalf("got %v, %+v", err, fault)
				}
				return app.NonRetryable()
			}
			if got := try(); got != c.first {
				t.Errorf("the first try is final: %v", got)
			}
			if remembered := len(stages.patience.since) > 0; remembered != (c.attended && !c.fail && c.later) {
				t.Errorf("remembered is %v", stages.patience.since)
			}
			for k, at := range stages.patience.since {
				delete(stages.patience.since, k)
				for id := range 5 { // the environment numbers its calls; a server's tries have one id
					stages.patience.since[strings.TrimRight(k, "0123456789")+strconv.Itoa(id)] = at.Add(-Patience)
				}
			}
			if got := try(); got != c.later {
				t.Errorf("a later try is final: %v", got)
			}
		})
	}
}
