package workflows

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// refreshed runs the refresh and takes the snapshot out of either end, as the
// client does.
func refreshed(t *testing.T, env *testsuite.TestWorkflowEnvironment, in RefreshInput) (Snapshot, error) {
	t.Helper()
	env.ExecuteWorkflow(RefreshName, in)
	if !env.IsWorkflowCompleted() {
		t.Fatal("the refresh did not end")
	}
	var out Snapshot
	err := env.GetWorkflowError()
	if err == nil {
		err = env.GetWorkflowResult(&out)
		if err != nil {
			t.Fatal(err)
		}
		return out, nil
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.HasDetails() {
		var f activities.Fault
		if err := app.Details(&f, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out, err
}

func TestRefreshWalksTheStagesInOrder(t *testing.T) {
	env, f := environment(t)
	out, err := refreshed(t, env, aRefresh())
	if err != nil {
		t.Fatal(err)
	}
	if out.Outcome != Done || len(out.Parts) != 10 {
		t.Errorf("got %+v", out)
	}
	for _, p := range out.Parts {
		if p.Outcome != Done || p.RowsIn != 2 || p.RowsOut != 1 || p.EndedAt.IsZero() {
			t.Errorf("got %+v", p)
		}
	}
	order := []string{"commit collect crm/contacts", "plan conform", "run conform", "commit conform", "plan resolve", "commit resolve",
		"plan unify", "commit unify", "plan segment", "commit segment", "plan decide", "commit decide", "plan activate ads", "commit activate ads"}
	for i := 1; i < len(order); i++ {
		if a, b := f.index(order[i-1]), f.index(order[i]); a < 0 || b < a {
			t.Errorf("%q at %d, %q at %d", order[i-1], a, order[i], b)
		}
	}
	if f.times("") != 30 {
		t.Errorf("asked %d times: %v", f.times(""), f.calls)
	}
}

func TestRefreshOfChosenStages(t *testing.T) {
	env, f := environment(t)
	in := aRefresh()
	in.Stages = []weir.Stage{weir.Decide, weir.Segment}
	out, err := refreshed(t, env, in)
	if err != nil || len(out.Parts) != 2 || f.index("plan segment") > f.index("plan decide") || f.times("") != 6 {
		t.Errorf("got %+v, %v after %v", out, err, f.calls)
	}
}

func TestRefreshWithNothingNew(t *testing.T) {
	env, f := environment(t)
	f.unchanged = true
	out, err := refreshed(t, env, aRefresh())
	if err != nil || out.Outcome != Unchanged || f.times("run") != 0 || f.times("commit") != 0 || f.times("keep") != 10 {
		t.Errorf("got %+v, %v after %v", out, err, f.calls)
	}
}

func TestFailingStreamStopsNoOther(t *testing.T) {
	env, f := environment(t)
	f.failing["run collect shop/orders"] = []error{weir.Errorf(weir.Invalid, "column %q is missing", "total").At("sources/shop.yaml:7").Then("name another")}
	out, err := refreshed(t, env, aRefresh())
	if err != nil {
		t.Fatal(err)
	}
	bad := out.part(t, weir.Collect, "shop/orders")
	if bad.Outcome != Failed || bad.Code != weir.Invalid || bad.Where != "sources/shop.yaml:7" || bad.Next != "name another" {
		t.Errorf("got %+v", bad)
	}
	if out.Outcome != Partial || out.part(t, weir.Collect, "shop/customers").Outcome != Done || out.part(t, weir.Activate, "ads").Outcome != Done {
		t.Errorf("got %+v", out)
	}
	if f.times("fail collect shop/orders: sources/shop.yaml:7: column \"total\" is missing") != 1 || f.times("fail") != 1 {
		t.Errorf("after %v", f.calls)
	}
}

func TestNothingCollectedEndsTheRefresh(t *testing.T) {
	env, f := environment(t)
	for _, s := range []string{"crm/contacts", "shop/customers", "shop/orders"} {
		f.failing["plan collect "+s] = []error{weir.Errorf(weir.Denied, "password refused")}
	}
	out, err := refreshed(t, env, aRefresh())
	if e := Cause(err); e == nil || e.Code != weir.Denied || !strings.Contains(e.Message, "crm/contacts: password refused") {
		t.Errorf("got %v", err)
	}
	if out.Outcome != Failed || f.times("plan conform") != 0 {
		t.Errorf("got %+v after %v", out, f.calls)
	}
}

func TestFailingStageEndsTheRefresh(t *testing.T) {
	env, f := environment(t)
	f.failing["commit resolve"] = []error{weir.Errorf(weir.Invalid, "two rules of one name").At("identity.yaml:3")}
	out, err := refreshed(t, env, aRefresh())
	if e := Cause(err); e == nil || e.Message != "resolve: two rules of one name" || e.Where != "identity.yaml:3" {
		t.Errorf("got %v", err)
	}
	bad := out.part(t, weir.Resolve, "")
	if bad.Outcome != Failed || out.part(t, weir.Unify, "").Outcome != Waiting || out.part(t, weir.Conform, "").Outcome != Done {
		t.Errorf("got %+v", out)
	}
	if f.times("plan unify") != 0 || f.times("fail resolve") != 1 {
		t.Errorf("after %v", f.calls)
	}
}

func TestStepIsRepeatedWithTheSameInput(t *testing.T) {
	env, f := environment(t)
	away := weir.Errorf(weir.Unavailable, "S3 is away")
	f.failing["commit unify"] = []error{away, away, away}
	f.failing["run segment"] = []error{errors.New("unclassified")}
	out, err := refreshed(t, env, aRefresh())
	if err != nil || out.Outcome != Done {
		t.Fatalf("got %+v, %v", out, err)
	}
	if f.times("commit unify") != 4 || f.times("run unify") != 1 || f.times("run segment") != 2 || f.times("plan segment") != 1 {
		t.Errorf("after %v", f.calls)
	}
}

func TestUnavailableIsGivenUp(t *testing.T) {
	env, f := environment(t)
	for range 100 {
		f.failing["plan decide"] = append(f.failing["plan decide"], weir.Errorf(weir.Unavailable, "S3 is away").Then("start it"))
	}
	_, err := refreshed(t, env, aRefresh())
	if e := Cause(err); e == nil || e.Code != weir.Unavailable || e.Next != "start it" || f.times("plan decide") != 8 {
		t.Errorf("got %v after %d attempts", err, f.times("plan decide"))
	}
}

func TestFailingDestinationStopsNoOther(t *testing.T) {
	env, f := environment(t)
	f.failing["run activate ads"] = []error{weir.Errorf(weir.Denied, "401")}
	out, err := refreshed(t, env, aRefresh())
	if err != nil || out.Outcome != Partial || out.part(t, weir.Activate, "ads").Outcome != Failed || out.part(t, weir.Activate, "newsletter").Outcome != Done {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestHangingDestinationDelaysNobody(t *testing.T) {
	env, f := environment(t)
	hanging := mock.MatchedBy(func(in activities.RunInput) bool { return in.Spec == "r1|ads" })
	env.OnActivity(activities.RunName, mock.Anything, hanging).After(48*time.Hour).Return("r1|ads", nil)
	env.OnActivity(activities.RunName, mock.Anything, mock.Anything).Return(
		func(_ context.Context, in activities.RunInput) (string, error) { return in.Spec, nil })
	began := env.Now()
	in := aRefresh()
	in.DeliveryWait = 5 * time.Minute
	out, err := refreshed(t, env, in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Outcome != Partial || out.part(t, weir.Activate, "ads").Outcome != Delivering {
		t.Errorf("got %+v", out)
	}
	other := out.part(t, weir.Activate, "newsletter")
	if other.Outcome != Done || other.EndedAt.Sub(other.StartedAt) >= time.Minute || out.EndedAt.Sub(began) > 6*time.Minute {
		t.Errorf("got %+v, all at %v", other, out.EndedAt.Sub(began))
	}
	if f.times("commit activate ads") != 1 {
		t.Errorf("the delivery left behind did not end: %v", f.calls)
	}
}

func TestCancelledRefreshRecordsIt(t *testing.T) {
	env, f := environment(t)
	f.blocked["run unify"] = true
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == activities.RunName && f.times("plan unify") == 1 {
			env.CancelWorkflow()
		}
	})
	_, err := refreshed(t, env, aRefresh())
	if !temporal.IsCanceledError(err) || Cause(err).Code != weir.Conflict {
		t.Errorf("got %v", err)
	}
	if f.times("fail unify: the run was cancelled") != 1 || f.times("plan segment") != 0 {
		t.Errorf("after %v", f.calls)
	}
}

func TestStatusIsASnapshot(t *testing.T) {
	env, f := environment(t)
	var at []Snapshot
	env.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) {
		v, err := env.QueryWorkflow(StatusQuery)
		if err != nil {
			t.Error(err)
			return
		}
		var s Snapshot
		if err := v.Get(&s); err != nil {
			t.Error(err)
		}
		at = append(at, s)
	})
	in := aRefresh()
	in.Parts.Destinations, in.Parts.Sources = nil, nil
	if _, err := refreshed(t, env, in); err != nil {
		t.Fatal(err)
	}
	if len(at) != f.times("") || at[0].Parts[0].Outcome != Running || at[0].Parts[1].Outcome != Waiting || at[len(at)-1].Parts[3].Outcome != Done {
		t.Errorf("got %+v", at)
	}
}
