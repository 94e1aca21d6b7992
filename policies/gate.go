package policies

import (
	"context"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/plan"
)

// Options say which policy rules.
type Options struct {
	// Dir is the project's policies/ folder; "" is the built-in policy.
	Dir string
	// Deadline is how long one evaluation may take; 0: one second. One that takes
	// longer twice is denied with D31.
	Deadline time.Duration
}

// Gate is a compiled policy. It is safe for concurrent use.
type Gate struct {
	revision string
	query    rego.PreparedEvalQuery
	deadline time.Duration
	vocab    *vocabulary
	rules    []Rule
	data     map[string]any
	distrust string            // why nobody may rely on it; "" if one may
	options  []rego.EvalOption // of a mutant's trial

	compiler *ast.Compiler
	store    storage.Store
	reads    func() *plan.Policy // what the rules read: made once it is needed

	mu        sync.Mutex
	checked   map[string]Verdict // by inputs: what Recheck has asked again
	questions map[Input]*asked
	late      lateness
}

// query is the decision object's rule.
const query = "data.consent.decision.result"

// Load compiles a policy. It refuses one that does not compile under the
// allowed functions and the input's schema, or that does not answer: an error
// names file and line. The gate then holds what it read; later changes of the
// files need a new Load.
func Load(ctx context.Context, o Options) (*Gate, error) {
	fsys, name, err := open(o.Dir)
	if err != nil {
		return nil, err
	}
	f, err := read(fsys)
	if err != nil {
		return nil, below(name, err)
	}
	return f.gate(ctx, name, o.Deadline)
}

func (f *files) gate(ctx context.Context, name string, deadline time.Duration) (*Gate, error) {
	if len(f.rego) == 0 {
		return nil, weir.Errorf(weir.Invalid, "the policy has no rules").At(name).Then("start from a copy of the built-in policy")
	}
	c, errs := f.compiler(false)
	if len(errs) > 0 {
		return nil, compileError(name, errs)
	}
	if rules := c.GetRulesExact(ast.MustParseRef(query)); len(rules) == 0 {
		return nil, weir.Errorf(weir.Invalid, "the policy has no rule %s, so it can't decide", query).At(name + "/consent/decision/decision.rego").
			Then("start from a copy of the built-in policy")
	}
	vocab, err := vocabularyOf(f)
	if err != nil {
		return nil, below(name, err)
	}
	store := inmem.NewFromObjectWithOpts(f.data, inmem.OptReturnASTValuesOnRead(true))
	prepared, err := rego.New(rego.Query(query), rego.Compiler(c), rego.Store(store),
		rego.StrictBuiltinErrors(true), rego.Capabilities(capabilities())).PrepareForEval(ctx)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the policy can't be prepared: %w", err).At(name)
	}
	if deadline <= 0 {
		deadline = time.Second
	}
	return &Gate{revision: f.revision(), query: prepared, deadline: deadline, vocab: vocab, rules: rulesOf(c), data: f.data,
		compiler: c, store: store, reads: sync.OnceValue(func() *plan.Policy { return reading(c, store) }), checked: map[string]Verdict{}}, nil
}

// reading is what a compiled policy reads.
func reading(c *ast.Compiler, store storage.Store) *plan.Policy {
	return plan.New(c, store, ast.MustParseRef(query), fixedPaths, listPaths, wordDomains)
}

// Distrust is this gate where its policy may not rule, because it is not signed
// or too old: it denies everything with D32.
func (g *Gate) Distrust(why string) *Gate {
	return &Gate{revision: g.revision, query: g.query, deadline: g.deadline, vocab: g.vocab, rules: g.rules, data: g.data, distrust: why,
		compiler: g.compiler, store: g.store, reads: g.reads, checked: map[string]Verdict{}}
}

// Revision is the digest of the policy's rules, data and schema.
func (g *Gate) Revision() string { return g.revision }

// Purposes lists the purposes that the policy knows, sorted.
func (g *Gate) Purposes() []string { return g.vocab.purposes }

// Evaluate asks the policy one question. It returns an error only when ctx
// ends; whatever else goes wrong is a denial with D31.
func (g *Gate) Evaluate(ctx context.Context, in Input) (Verdict, error) {
	if g.distrust != "" {
		return g.distrusted(), nil
	}
	in.Subject.Regimes = g.vocab.regimes(in.Subject.Jurisdictions)
	v, err := ast.InterfaceToValue(in)
	if err != nil {
		return failed("the input can't be encoded: " + err.Error()), nil //nolint:nilerr // a denial, not an error
	}
	return g.ask(ctx, v)
}

func (g *Gate) distrusted() Verdict { return Verdict{Reasons: []string{Untrusted}, Fault: g.distrust} }

// ask evaluates on any input; tests leave out fields.
func (g *Gate) ask(ctx context.Context, input ast.Value) (Verdict, error) {
	v, _, err := g.eval(ctx, input, true)
	return v, err
}

// eval is ask. Which labelled rules held costs a third of an evaluation, and is left
// out where only the answer matters. What took too long is asked once more: a machine
// that stood still for a second must not cost a class its allow. late: so did that.
func (g *Gate) eval(ctx context.Context, input ast.Value, rules bool) (v Verdict, late bool, err error) {
	for range 2 {
		if v, late, err = g.evalOnce(ctx, input, rules); !late || err != nil {
			break
		}
	}
	return v, late, err
}

func (g *Gate) evalOnce(ctx context.Context, input ast.Value, rules bool) (v Verdict, late bool, err error) {
	limited, cancel := context.WithTimeout(ctx, g.deadline)
	defer cancel()
	var tracker topdown.EvaluatedRuleTracker
	options := append([]rego.EvalOption{rego.EvalParsedInput(input)}, g.options...)
	if rules {
		options = append(options, rego.EvalEvaluatedRuleTracker(&tracker))
	}
	rs, err := g.query.Eval(limited, options...)
	if ctx.Err() != nil {
		return failed("cancelled"), false, ctx.Err()
	}
	if err != nil {
		return failed(err.Error()), limited.Err() != nil, nil
	}
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return failed("the decision is undefined"), false, nil // OPA reports no error here
	}
	v = verdictOf(rs[0].Expressions[0].Value)
	v.Rules = labels(tracker.Labels)
	return v, false, nil
}
