package workflows

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/weir-cdp/weir"
)

// say sends a word once the workflow has come to a point, and notes the answer.
func say(t *testing.T, env *testsuite.TestWorkflowEnvironment, after time.Duration, w PolicyWord, answer func(PolicyReport, error)) {
	t.Helper()
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(PolicyUpdate, "", &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { answer(PolicyReport{}, err) },
			OnComplete: func(v any, err error) {
				r, _ := v.(PolicyReport)
				answer(r, err)
			}}, w)
	}, after)
}

func TestAPublicationWaitsForAWordThatCounts(t *testing.T) {
	env, f := environment(t)
	f.failing["policy own"] = []error{weir.Errorf(weir.Denied, "somebody else has to approve it")}
	in := PolicyInput{Workspace: "shop", Number: 7, Draft: "proposal"}
	var waited, denied, approved, late bool
	say(t, env, 0, PolicyWord{}, func(r PolicyReport, err error) { waited = err == nil && r.State == weir.PolicyProposed })
	say(t, env, time.Hour, PolicyWord{Verdict: weir.PolicyApproved, Draft: "own"}, func(_ PolicyReport, err error) {
		denied = Cause(err) != nil && Cause(err).Code == weir.Denied && strings.Contains(err.Error(), "somebody else")
	})
	say(t, env, 200*24*time.Hour, PolicyWord{Verdict: weir.PolicyApproved, Draft: "other"}, func(r PolicyReport, err error) { approved = err == nil && r.State == weir.PolicyApproved })
	say(t, env, 200*24*time.Hour, PolicyWord{Verdict: weir.PolicyRejected, Draft: "other"}, func(_ PolicyReport, err error) { late = Cause(err) != nil && Cause(err).Code == weir.Conflict })
	env.ExecuteWorkflow(PublishPolicyName, in)
	var out PolicyReport
	if err := env.GetWorkflowResult(&out); err != nil || out != (PolicyReport{Number: 7, State: weir.PolicyApproved}) {
		t.Errorf("%+v %v", out, err)
	}
	if !waited || !denied || !approved || !late {
		t.Errorf("waited %v, denied %v, approved %v, late %v", waited, denied, approved, late)
	}
	if f.times("policy ") != 3 || f.index("policy proposal") != 0 {
		t.Errorf("%v", f.calls)
	}
}

func TestAProposalThatDoesNotCountEnds(t *testing.T) {
	env, f := environment(t)
	f.failing["policy proposal"] = []error{weir.Errorf(weir.Denied, "numbers only grow")}
	var told error
	say(t, env, 0, PolicyWord{}, func(_ PolicyReport, err error) { told = err })
	env.ExecuteWorkflow(PublishPolicyName, PolicyInput{Workspace: "shop", Number: 1, Draft: "proposal"})
	if c := Cause(env.GetWorkflowError()); c == nil || c.Code != weir.Denied {
		t.Errorf("%v", c)
	}
	if c := Cause(told); c == nil || c.Code != weir.Denied {
		t.Errorf("who waited was told %v", told)
	}
}
