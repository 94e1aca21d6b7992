package weir

import (
	"errors"
	"fmt"
)

// Code classifies an error for exit codes, retries and metrics. Codes are stable.
type Code string

// The codes. Invalid and Denied are never retried; Unavailable always is.
const (
	Invalid     Code = "invalid"     // wrong use or an invalid project; the message says where and what to do
	NotFound    Code = "not_found"   // a named thing does not exist
	Conflict    Code = "conflict"    // somebody else changed it, or is running
	Unavailable Code = "unavailable" // a system does not answer for now
	Denied      Code = "denied"      // credentials or policy refuse
	Partial     Code = "partial"     // done, but something was quarantined or not delivered
	Internal    Code = "internal"    // a defect
)

// Error is what crosses a package boundary towards a person.
type Error struct {
	Code    Code
	Message string // what is wrong, one sentence
	Where   string // "sources/crm.yaml:12:5", "crm.csv:1042", a table; may be empty
	Next    string // what to do next; may be empty
	Cause   error
}

// Error implements error: "where: message: cause; next".
func (e *Error) Error() string {
	s := e.Message
	if e.Where != "" {
		s = e.Where + ": " + s
	}
	if _, told := e.Cause.(silent); e.Cause != nil && !told { //nolint:errorlint // only the direct cause is left out
		s += ": " + e.Cause.Error()
	}
	if e.Next != "" {
		s += "; " + e.Next
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error with a formatted message; a %w operand becomes its cause
// for errors.Is and errors.As.
func Errorf(code Code, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: wrapped.Error(), Cause: hidden(wrapped)}
}

// hidden keeps a wrapped error reachable without printing it twice.
func hidden(err error) error {
	if u := errors.Unwrap(err); u != nil {
		return silent{u}
	}
	return nil
}

type silent struct{ error }

func (s silent) Unwrap() error { return s.error }

// At returns a copy of e that says where it happened.
func (e *Error) At(where string) *Error { c := *e; c.Where = where; return &c }

// Then returns a copy of e that says what to do next.
func (e *Error) Then(next string) *Error { c := *e; c.Next = next; return &c }

// CodeOf returns the code of the first Error in err's chain, Internal for another
// error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
