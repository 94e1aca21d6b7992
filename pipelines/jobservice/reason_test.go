package jobservice

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

func TestReasons(t *testing.T) {
	trace := func(root string) string {
		return "org.apache.flink.runtime.JobException: Recovery is suppressed by FixedDelayRestartBackoffTimeStrategy\n\tat a.B.c(B.java:1)\n" +
			"Caused by: java.lang.Exception: The user defined 'open()' method caused an exception: x\n\tat d.E.f(E.java:2)\nCaused by: " + root + "\n\tat g.H.i(H.java:3)\n\t... 12 more\n"
	}
	for root, want := range map[string]struct {
		code weir.Code
		says string
	}{
		`java.io.IOException: Cannot run program "/opt/weir/weir-pipeline": error=2, No such file or directory`:                         {weir.Invalid, "runner.worker"},
		`java.io.IOException: Cannot run program "/opt/weir/weir-pipeline": error=12, Cannot allocate memory`:                           {weir.Unavailable, "memory"},
		`java.io.IOException: Cannot run program "/opt/weir/weir-pipeline": Exec failed, error: 26 (Text file busy)`:                    {weir.Unavailable, "installed"},
		"java.lang.IllegalStateException: Process died with exit code 74":                                                               {weir.Unavailable, "task managers' logs"},
		"java.io.IOException: error=2, No such file or directory":                                                                       {weir.Invalid, "runner.worker"}, // what the job service keeps of it
		"java.io.IOException: error=12, Cannot allocate memory":                                                                         {weir.Unavailable, "memory"},
		"java.lang.IllegalStateException: Process died with exit code 78":                                                               {weir.Invalid, "no configuration"},
		"java.lang.IllegalStateException: Process died with exit code 77":                                                               {weir.Unavailable, "keys"},
		"java.lang.IllegalStateException: Process died with exit code 76":                                                               {weir.Invalid, "another build"},
		"java.lang.IllegalStateException: Process died with exit code 137":                                                              {weir.Unavailable, "memory"},
		"java.util.concurrent.TimeoutException: Heartbeat of TaskManager with id a:1-b timed out.":                                      {weir.Unavailable, "lost a task manager"},
		"org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire the minimum required resources.": {weir.Unavailable, "slots"},
		"java.io.InvalidClassException: x; local class incompatible":                                                                    {weir.Invalid, "versions"},
		"java.lang.RuntimeException: something nobody foresaw":                                                                          {weir.Internal, "something nobody foresaw"},
	} {
		err := reason(trace(root))
		if weir.CodeOf(err) != want.code || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s\ngave %s: %v", root, weir.CodeOf(err), err)
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "at g.H") {
			t.Errorf("a stack trace: %v", err)
		}
	}
	if err := reason(" \n"); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("nothing said: %v", err)
	}
	if err := reason(trace("java.lang.Error: " + strings.Repeat("long ", 1000))); len(err.Error()) > 2*reasonMax {
		t.Errorf("%d bytes of an exception", len(err.Error()))
	}
}

func TestExitCodesHaveTheirReason(t *testing.T) {
	for _, code := range []int{ExitConfig, ExitStore, ExitBuild, ExitNoSpec, ExitService} {
		if err := reason(fmt.Sprintf("Process died with exit code %d", code)); weir.CodeOf(err) == weir.Internal {
			t.Errorf("%d means nothing: %v", code, err)
		}
	}
}
