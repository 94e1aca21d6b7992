package workflows

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
)

func aSchedule() ScheduledInput {
	return ScheduledInput{Workspace: "shop", Project: "projects/1", Source: "crm", Parts: RefreshPlan{
		Sources:      []SourcePlan{{Name: "crm", Streams: []StreamRequest{{Name: "contacts"}}}},
		Destinations: []DestinationPlan{{Name: "ads"}},
	}}
}

func TestScheduledRunIsOfTheTimeItWasDue(t *testing.T) {
	env, f := environment(t)
	if err := env.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(scheduledTime.ValueSet(dawn))); err != nil {
		t.Fatal(err)
	}
	env.ExecuteWorkflow(ScheduledName, aSchedule())
	var out Snapshot
	if err := env.GetWorkflowResult(&out); err != nil {
		t.Fatal(err)
	}
	if want := (weir.Run{Workspace: "shop", ID: "20260301T060000Z-crm", Now: dawn, Project: "projects/1"}); out.Run != want || out.Outcome != Done {
		t.Errorf("got %+v", out)
	}
	if len(f.notices) != 0 {
		t.Errorf("noticed %+v", f.notices)
	}
}

func TestScheduledRunWaitsForItsTurn(t *testing.T) {
	env, _ := environment(t)
	taken := 0
	env.OnWorkflow(RefreshName, mock.Anything, mock.Anything).Return(Snapshot{}, serviceerror.NewWorkflowExecutionAlreadyStarted("", "", "x")).Times(7)
	env.OnWorkflow(RefreshName, mock.Anything, mock.Anything).Return(Snapshot{Outcome: Done}, nil).Once()
	env.SetOnTimerFiredListener(func(string) { taken++ })
	began := env.Now()
	in := aSchedule()
	in.Due = dawn
	env.ExecuteWorkflow(ScheduledName, in)
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if waited := env.Now().Sub(began).Round(time.Second); taken != 7 || waited != (2+4+8+16+32+60+60)*time.Second {
		t.Errorf("waited %d times, %v", taken, waited)
	}
}

func TestFailingScheduleIsNotified(t *testing.T) {
	env, f := environment(t)
	f.failing["plan resolve"] = []error{weir.Errorf(weir.Invalid, "two rules of one name").At("identity.yaml:3")}
	f.failing["notify crm"] = []error{weir.Errorf(weir.Unavailable, "mail is away")}
	env.ExecuteWorkflow(ScheduledName, aSchedule())
	if e := Cause(env.GetWorkflowError()); e == nil || e.Code != weir.Invalid {
		t.Errorf("got %v", e)
	}
	if len(f.notices) != 2 || f.notices[1].Status != "failed" || f.notices[1].Problems[0] != "identity.yaml:3: resolve: two rules of one name" {
		t.Errorf("noticed %+v", f.notices)
	}
}

func TestPartlyFailingScheduleIsNotified(t *testing.T) {
	env, f := environment(t)
	f.failing["run activate ads"] = []error{weir.Errorf(weir.Denied, "401")}
	f.failing["notify crm"] = []error{weir.Errorf(weir.Denied, "no mail"), errors.New("never asked")}
	env.ExecuteWorkflow(ScheduledName, aSchedule())
	if err := env.GetWorkflowError(); err != nil {
		t.Errorf("a notice that cannot be sent fails the run: %v", err)
	}
	if len(f.notices) != 1 || f.notices[0].Status != "partial" || !strings.Contains(f.notices[0].Problems[0], "activate ads: 401") {
		t.Errorf("noticed %+v", f.notices)
	}
}

func TestDiffOfSchedules(t *testing.T) {
	every := func(source string, d time.Duration) ScheduleSpec {
		return ScheduleSpec{Source: source, Every: d, Input: ScheduledInput{Workspace: "shop", Source: source}}
	}
	a, b, c := every("a", time.Hour), every("b", time.Hour), every("c", time.Hour)
	have := map[string]string{"a": a.digest(), "b": every("b", time.Minute).digest(), "d": "x"}
	got := Diff(have, []ScheduleSpec{c, b, a})
	want := []Change{{"b", "update"}, {"c", "create"}, {"d", "delete"}}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v", got)
	}
	edited := a
	edited.Input.Project = "projects/2"
	if edited.digest() == a.digest() {
		t.Error("another project gives the same schedule")
	}
}

func TestCatchup(t *testing.T) {
	for _, c := range []struct {
		s    ScheduleSpec
		want time.Duration
	}{
		{ScheduleSpec{Every: time.Minute}, 10 * time.Minute},
		{ScheduleSpec{Every: time.Hour}, time.Hour},
		{ScheduleSpec{Every: 48 * time.Hour}, 12 * time.Hour},
		{ScheduleSpec{Cron: "0 2 * * *"}, 12 * time.Hour},
	} {
		if got := c.s.catchup(); got != c.want {
			t.Errorf("%+v: %v", c.s, got)
		}
	}
}
