package project

import (
	"fmt"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// Problem is one thing that is wrong with a project directory.
type Problem struct {
	Where   string `json:"where"` // file:line:column, relative to the project
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}

// Problems is the error of a project that cannot be used: all that is wrong
// with it, in the order of files and lines.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// String gives "where: message; next".
func (p Problem) String() string {
	s := p.Where + ": " + p.Message
	if p.Next != "" {
		s += "; " + p.Next
	}
	return s
}

// Err wraps the problems so that their code is Invalid; nil if there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	what := "a problem"
	if len(ps) > 1 {
		what = fmt.Sprintf("%d problems", len(ps))
	}
	return weir.Errorf(weir.Invalid, "the project has %s:\n%w", what, ps)
}

// didYouMean is the next step for an unknown name.
func didYouMean(name string, known []string) string {
	if n := connectors.Nearest(name, known); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	if len(known) == 0 {
		return "there are none yet"
	}
	if len(known) > 12 {
		return ""
	}
	return "known: " + strings.Join(known, ", ")
}
