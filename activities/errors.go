package activities

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
)

// MaxMessage bounds, in bytes, every text of an error that enters a history.
const MaxMessage = 1000

// Fault is the detail of an application error: the parts of a weir.Error that
// its message does not hold.
type Fault struct {
	Where string `json:"where,omitempty"`
	Next  string `json:"next,omitempty"`
}

// attempts says how often an activity that fails with a code is tried. What is
// not listed is tried once: repeating it cannot help. A defect is tried again
// because an error nobody classified is one too.
var attempts = map[weir.Code]int32{
	weir.Unavailable: 8, // about 90 s of waiting, see workflows/options.go
	weir.Conflict:    5, // a commit raced; the stage has retried before
	weir.Internal:    3,
}

// Encode translates err, at the given attempt (from 1), into what Temporal
// keeps: type = code, message and Fault bounded, no cause (a cause could say
// anything, at any length).
func Encode(err error, attempt int32) error {
	if err == nil {
		return nil
	}
	code := weir.CodeOf(err)
	message, fault := err.Error(), Fault{}
	var e *weir.Error
	if errors.As(err, &e) {
		bare := *e
		bare.Where, bare.Next = "", ""
		message, fault = bare.Error(), Fault{Where: Bound(e.Where), Next: Bound(e.Next)}
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		code = weir.Unavailable
		message = inWords.Replace(message)
	}
	var final Final
	o := temporal.ApplicationErrorOptions{
		NonRetryable: attempt >= attempts[code] || errors.As(err, &final) && final.Final(),
		Details:      []any{fault},
	}
	var after RetryAfter
	if errors.As(err, &after) {
		o.NextRetryDelay = after.RetryAfter()
	}
	return temporal.NewApplicationErrorWithOptions(Bound(message), string(code), o)
}

// inWords says of a context's end what it is to a person: a step is interrupted where its
// worker stops, or is so busy that it was not heard of.
var inWords = strings.NewReplacer(
	context.Canceled.Error(), "the step was interrupted (a worker that stops, or a busy machine)",
	context.DeadlineExceeded.Error(), "the step took too long")

// Bound makes text fit into a history: valid UTF-8, no control characters but
// spaces, at most MaxMessage bytes.
func Bound(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= MaxMessage {
		return text
	}
	cut := MaxMessage - len("…")
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
