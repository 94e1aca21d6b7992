package policies

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/profiler"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/weir-cdp/weir"
)

// maxLate is for how many classes of one run the policy may take too long. Each costs
// two deadlines and is denied; a policy that is too slow for all would hold a run up for
// hours, and then remove everybody. One class more and the run is refused.
const maxLate = 5

// lateness counts such classes of the run that asked last.
type lateness struct {
	mu      sync.Mutex
	run     weir.RunID
	classes int
	refused error
}

// refusal is why a run may not ask any more; nil: it may.
func (l *lateness) refusal(run weir.RunID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run != run {
		return nil
	}
	return l.refused
}

// count takes a class that got no answer in time. The last one that a run is granted is
// asked once more, to see what takes the time.
func (g *Gate) count(ctx context.Context, run weir.RunID, input ast.Value) {
	l := &g.late
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run != run {
		l.run, l.classes, l.refused = run, 0, nil
	}
	if l.classes++; l.classes <= maxLate || l.refused != nil {
		return
	}
	where, expr := g.costliest(ctx, input)
	l.refused = weir.Errorf(weir.Invalid, "the policy has no answer within %s for %d classes of rows, so the run is refused and nothing is sent: most of the time goes into %s", g.deadline, l.classes, expr).
		At(where).Then("write the rule without a search through all combinations, then weir policy test; or go back to the revision before: weir policy rollback")
}

// costliest is the expression into which most of an evaluation's time goes, and where
// it stands, within the policy's folder.
func (g *Gate) costliest(ctx context.Context, input ast.Value) (where, expr string) {
	limited, cancel := context.WithTimeout(ctx, g.deadline)
	defer cancel()
	p := profiler.New()
	_, _ = g.query.Eval(limited, append([]rego.EvalOption{rego.EvalParsedInput(input), rego.EvalQueryTracer(p)}, g.options...)...) // what it says does not matter
	for _, s := range p.ReportTopNResults(0, []string{"total_time_ns"}) {
		if s.Location == nil || s.Location.File == "" {
			continue // the question itself
		}
		text, _, more := strings.Cut(string(s.Location.Text), "\n")
		if more {
			text += " …"
		}
		return fmt.Sprintf("%s:%d", s.Location.File, s.Location.Row), text
	}
	return "policy revision " + g.revision, "no single expression"
}
