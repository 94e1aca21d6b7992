package jobservice

import (
	"regexp"
	"strings"

	"github.com/weir-cdp/weir"
)

// The exit codes by which a worker says why it did not start, where it can't say it in
// the object store: Beam keeps nothing else of a process. See cmd/weir-pipeline.
const (
	ExitConfig  = 78 // no object store is configured on its machine
	ExitStore   = 77 // the object store does not let it in, or does not answer
	ExitBuild   = 76 // it is of another build
	ExitNoSpec  = 75 // the bucket that it has does not hold the spec
	ExitService = 74 // the endpoints that Flink named do not answer
)

// reasonMax bounds what of an exception enters an error, in bytes.
const reasonMax = 300

// A cause is recognised in the text of an exception.
type cause struct {
	form *regexp.Regexp
	code weir.Code
	says string
	next string
}

const configured = "see docs/cluster.md, the worker's configuration"

// started is how Java says of a program that it can't start it; the job service keeps the
// last cause alone, which does not name the program.
const started = `(?:Cannot run program.*|IOException: (?:Exec failed, )?)`

var causes = []cause{
	{regexp.MustCompile(started + `error[=:] ?(11|12|24|26)\b`), weir.Unavailable, "a task manager's machine can't start a process now", // EAGAIN, ENOMEM, EMFILE, ETXTBSY
		"give the machine more memory or processes, or wait until the worker is installed"},
	{regexp.MustCompile(`Cannot run program|` + started + `error[=:] ?[0-9]|exit code 12[67]\b`), weir.Invalid, "a task manager can't start Weir's worker",
		"install weir-pipeline on every task manager's machine, at the path that runner.worker in weir.yaml says"},
	{regexp.MustCompile(`exit code 78\b`), weir.Invalid, "the worker on a task manager's machine has no configuration", configured},
	{regexp.MustCompile(`exit code 77\b`), weir.Unavailable, "the worker on a task manager's machine does not get into the object store",
		"check the address and the keys in its configuration"},
	{regexp.MustCompile(`exit code 76\b`), weir.Invalid, "the worker on a task manager's machine is of another build", "install the weir-pipeline that was built with this weir"},
	{regexp.MustCompile(`exit code 75\b`), weir.Invalid, "the worker on a task manager's machine does not find the run in its object store",
		"give it the bucket of lake in weir.yaml"},
	{regexp.MustCompile(`exit code 74\b`), weir.Unavailable, "the worker on a task manager's machine does not reach the task manager that started it",
		"see the task managers' logs"},
	{regexp.MustCompile(`NoResourceAvailableException|Could not acquire the minimum required resources`), weir.Unavailable, "Flink has too few free task slots",
		"start task managers, or lower runner.parallelism in weir.yaml"},
	{regexp.MustCompile(`No space left on device`), weir.Unavailable, "a disk of the cluster is full", "free space on the task managers' disks"},
	{regexp.MustCompile(`TaskManager with id|heartbeat of TaskManager|Connection unexpectedly closed by remote task manager|TaskExecutor|RemoteTransportException`), weir.Unavailable,
		"Flink lost a task manager more often than it repeats a job", "see the task managers' logs"},
	{regexp.MustCompile(`InvalidClassException|NoSuchMethodError|NoClassDefFoundError|ClassNotFoundException|serialVersionUID`), weir.Invalid,
		"the job server and Flink are of different versions", "use the job server of deploy/flink, made for Flink 1.19"},
	{regexp.MustCompile(`exit code (9|137|143)\b`), weir.Unavailable, "the worker on a task manager's machine was killed",
		"if for its memory: lower memory or processors in the worker's configuration, or give the machine more"},
}

// reason makes an error of the text of an exception.
func reason(text string) error {
	for _, c := range causes {
		if c.form.MatchString(text) {
			return weir.Errorf(c.code, "%s: %s", c.says, root(text)).Then(c.next)
		}
	}
	if strings.TrimSpace(text) == "" {
		return weir.Errorf(weir.Unavailable, "the job failed, and the cluster does not say why").Then("see the logs of the job server and of Flink")
	}
	return weir.Errorf(weir.Internal, "the job failed on the cluster: %s", root(text)).Then("see the logs of the job server and of Flink")
}

// root is the last cause of a stack trace, on one line.
func root(text string) string {
	last := ""
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if after, ok := strings.CutPrefix(l, "Caused by: "); ok {
			last = after
		} else if last == "" && l != "" {
			last = l
		}
	}
	return cut(last)
}

// cut bounds a text and makes it one line.
func cut(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > reasonMax {
		text = strings.ToValidUTF8(text[:reasonMax], "") + "…"
	}
	return text
}
