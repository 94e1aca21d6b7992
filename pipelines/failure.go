package pipelines

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// A task on a cluster has no other way to say what went wrong than the text of an
// exception, wrapped in the stack traces of three programs. So its worker leaves the
// error as an object beside the run's scratch, where the submitter reads it.

// failure is what lies there: the parts of a weir.Error, without its cause.
type failure struct {
	Code    weir.Code `json:"code"`
	Message string    `json:"message"`
	Where   string    `json:"where,omitempty"`
	Next    string    `json:"next,omitempty"`
	// Machine is whose: a full disk, or a way to the store that is cut, is one machine's.
	Machine string `json:"machine,omitempty"`
}

const (
	failureMax  = 4 << 10          // bytes of a message
	failureTime = 15 * time.Second // to leave it
)

func failureKey(spec *Spec) string { return trimSlash(spec.Scratch) + "/failed.json" }

// LeaveFailure says for the submitter why a run of spec fails. The first error stands:
// those after it follow from it. But one that another attempt may not meet
// (Unavailable) gives way to one that it will.
func LeaveFailure(ctx context.Context, s *object.Store, spec *Spec, err error) error {
	f := failure{Code: weir.CodeOf(err), Message: err.Error()}
	var e *weir.Error
	if errors.As(err, &e) && error(e) == err { //nolint:errorlint // the error itself, not one in the middle of a chain
		bare := *e
		bare.Where, bare.Next = "", ""
		f.Message, f.Where, f.Next = bare.Error(), e.Where, e.Next
	}
	if f.Code == weir.Unavailable {
		f.Machine, _ = os.Hostname() // without a name it is left out
	}
	f.Message = f.Message[:min(len(f.Message), failureMax)]
	data, jsonErr := json.Marshal(f)
	if jsonErr != nil {
		return weir.Errorf(weir.Internal, "encode a failure: %w", jsonErr)
	}
	created, putErr := s.PutIfAbsent(ctx, failureKey(spec), data)
	if putErr != nil || created {
		return putErr
	}
	if held := ReadFailure(ctx, s, spec); f.Code == weir.Unavailable || weir.CodeOf(held) != weir.Unavailable {
		return nil
	}
	return s.Put(ctx, failureKey(spec), bytes.NewReader(data), int64(len(data)))
}

// leaveFailure is LeaveFailure from a task: that it can't be left changes nothing.
func leaveFailure(s *object.Store, spec *Spec, err error) {
	if errors.Is(err, context.Canceled) {
		return // the task was told to end
	}
	ctx, cancel := context.WithTimeout(context.Background(), failureTime)
	defer cancel()
	_ = LeaveFailure(ctx, s, spec, err)
}

// ReadFailure returns the error that a run's task left, nil where none did. What can't
// be read is Unavailable.
func ReadFailure(ctx context.Context, s *object.Store, spec *Spec) error {
	data, err := s.ReadFile(ctx, failureKey(spec))
	if weir.CodeOf(err) == weir.NotFound {
		return nil
	}
	if err != nil {
		return weir.Errorf(weir.Unavailable, "read why the run fails: %w", err)
	}
	var f failure
	if err := json.Unmarshal(data, &f); err != nil {
		return weir.Errorf(weir.Unavailable, "read why the run fails: %w", err).At(failureKey(spec))
	}
	if f.Machine != "" {
		f.Message = "on the machine " + f.Machine + ": " + f.Message
	}
	e := weir.Errorf(f.Code, "%s", f.Message)
	e.Where, e.Next = f.Where, f.Next
	return e
}

// ForgetFailure deletes what an attempt left that has ended: it says nothing of the next.
func ForgetFailure(ctx context.Context, s *object.Store, spec *Spec) error {
	return s.Delete(ctx, failureKey(spec))
}
