package policies

import (
	"context"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/weir-cdp/weir"
)

// MutationReport says whether the tests and cases notice what breaks.
type MutationReport struct {
	Mutants   int
	Killed    int
	Invalid   int      // that would not compile: nobody could write them
	Survivors []Mutant // that no test and no case notices, by place
}

// probe is one test or one case, which a mutant may fail.
type probe struct {
	test    string // data.consent.deny_test.test_x; "": a case
	file    string
	c       Case
	reaches map[string]bool // rules that are looked at while it runs, by path
}

// mutation tries every mutant of a policy whose tests and cases pass.
func (f *files) mutation(ctx context.Context, g *Gate, cases []Case, progress func(weir.Progress)) (*MutationReport, error) {
	m, err := f.mutate()
	if err != nil {
		return nil, err
	}
	alone, err := f.withoutDefault()
	if err != nil {
		return nil, err
	}
	probes := f.probes(cases)
	first, err := f.mutator(ctx, g, m.compiler, probes)
	if err != nil {
		return nil, err
	}
	for i := range probes {
		if err := first.reach(ctx, &probes[i]); err != nil {
			return nil, err
		}
	}
	r := &MutationReport{Mutants: len(m.mutants) + len(alone), Invalid: m.invalid}
	count := func(x Mutant, killed bool) {
		if killed {
			r.Killed++
		} else {
			r.Survivors = append(r.Survivors, x)
		}
		progress(weir.Progress{Done: int64(r.Killed + len(r.Survivors)), Total: int64(r.Mutants), Unit: "mutants"})
	}
	for _, one := range alone {
		w, err := f.mutator(ctx, g, one.compiler, probes)
		if err != nil {
			return nil, err
		}
		killed, err := w.kill(ctx, one.mutants[0])
		if err != nil {
			return nil, err
		}
		count(one.mutants[0], killed)
	}
	if err := f.killAll(ctx, g, m, probes, first, count); err != nil {
		return nil, err
	}
	slices.SortFunc(r.Survivors, func(a, b Mutant) int {
		return byPlace(Problem{Where: a.Where, Message: a.Kind + a.Text}, Problem{Where: b.Where, Message: b.Kind + b.Text})
	})
	return r, nil
}

// killAll tries the mutants on all processors.
func (f *files) killAll(ctx context.Context, g *Gate, m *mutated, probes []probe, first *mutator, count func(Mutant, bool)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := make(chan Mutant)
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for i := range runtime.GOMAXPROCS(0) {
		w := first
		if i > 0 {
			var err error
			if w, err = f.mutator(ctx, g, m.compiler, probes); err != nil {
				stop()
				wg.Wait()
				return err
			}
		}
		wg.Go(func() {
			for x := range next {
				killed, err := w.kill(ctx, x)
				mu.Lock()
				if err != nil {
					failed = err
					stop()
				} else {
					count(x, killed)
				}
				mu.Unlock()
			}
		})
	}
	for _, x := range m.mutants {
		select {
		case next <- x:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if failed == nil {
		failed = context.Cause(ctx)
	}
	return failed
}

// probes lists what can notice a mutant: tests, then cases.
func (f *files) probes(cases []Case) []probe {
	var out []probe
	mods, _ := f.modules(true)
	for _, p := range sorted(mods) {
		seen := map[string]bool{}
		for _, r := range mods[p].Rules {
			name := r.Head.Ref().GroundPrefix().String()
			if whole := mods[p].Package.Path.String() + "." + name; strings.HasPrefix(name, "test_") && !seen[whole] {
				seen[whole] = true
				out = append(out, probe{test: whole, file: p})
			}
		}
	}
	for _, c := range cases {
		if c.gate == "" { // else it is not about the rules
			out = append(out, probe{c: c, file: c.File})
		}
	}
	return out
}

// mutator asks a compiled set of mutants; not safe for concurrent use.
type mutator struct {
	store   storage.Store
	gate    *Gate
	probes  []probe
	queries []*rego.PreparedEvalQuery // by probe; nil for cases
	passed  []ast.Value               // what a test gives while nothing is broken
}

func (f *files) mutator(ctx context.Context, g *Gate, c *ast.Compiler, probes []probe) (*mutator, error) {
	w := &mutator{store: inmem.NewFromObjectWithOpts(f.mutableData(), inmem.OptReturnASTValuesOnRead(true)), probes: probes,
		queries: make([]*rego.PreparedEvalQuery, len(probes)), passed: make([]ast.Value, len(probes))}
	prepare := func(q string) (rego.PreparedEvalQuery, error) {
		p, err := rego.New(rego.Query(q), rego.Compiler(c), rego.Store(w.store), rego.StrictBuiltinErrors(true), rego.Capabilities(capabilities())).PrepareForEval(ctx)
		if err != nil {
			err = weir.Errorf(weir.Internal, "a mutant can't be prepared: %w", err)
		}
		return p, err
	}
	decision, err := prepare(query)
	if err != nil {
		return nil, err
	}
	w.gate = &Gate{revision: g.revision, query: decision, deadline: g.deadline, vocab: g.vocab, data: g.data, reads: g.reads, checked: map[string]Verdict{}}
	for i, p := range probes {
		if p.test == "" {
			continue
		}
		q, err := prepare("x = " + p.test)
		if err != nil {
			return nil, err
		}
		w.queries[i] = &q
	}
	return w, nil
}

// reach notes which rules a probe looks at: with indices and early exits off, so
// that a rule which is not looked at has no say, however it is broken.
func (w *mutator) reach(ctx context.Context, p *probe) error {
	t := &reached{paths: map[string]bool{}}
	all := []rego.EvalOption{rego.EvalRuleIndexing(false), rego.EvalEarlyExit(false), rego.EvalQueryTracer(t)}
	if p.test == "" {
		w.gate.options = all
		_, err := w.gate.runCase(ctx, p.c)
		w.gate.options = nil
		if err != nil {
			return err
		}
	} else if _, err := w.queries[slices.IndexFunc(w.probes, func(o probe) bool { return o.test == p.test })].Eval(ctx, all...); err != nil {
		return weir.Errorf(weir.Internal, "%s can't be run: %w", p.test, err)
	}
	p.reaches = t.paths
	return nil
}

// reached is a tracer that notes the rules that are entered.
type reached struct{ paths map[string]bool }

func (*reached) Enabled() bool { return true }

func (*reached) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (r *reached) TraceEvent(e topdown.Event) {
	if rule, ok := e.Node.(*ast.Rule); ok && e.Op == topdown.EnterOp {
		r.paths[rule.Module.Package.Path.String()+"."+rule.Head.Ref().GroundPrefix().String()] = true
	}
}

// kill tells whether any probe notices a mutant: those first that stand beside its
// file.
func (w *mutator) kill(ctx context.Context, x Mutant) (bool, error) {
	if err := w.turn(ctx, none, none); err != nil {
		return false, err
	}
	order := make([]int, len(w.probes))
	for i := range order {
		order[i] = i
	}
	beside := strings.TrimSuffix(x.file, ".rego") + "_test.rego"
	near := func(i int) int {
		switch {
		case w.probes[i].file == beside:
			return 0
		case path.Dir(w.probes[i].file) == path.Dir(x.file):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(order, func(a, b int) int { return near(a) - near(b) })
	alone := x.id == none && x.rule == none // compiled by itself
	for _, i := range order {
		p := &w.probes[i]
		if !alone && !p.reaches[x.path] {
			continue
		}
		killed, err := w.notices(ctx, i, x, alone)
		if killed || err != nil {
			return killed, err
		}
	}
	return false, nil
}

func (w *mutator) notices(ctx context.Context, i int, x Mutant, alone bool) (bool, error) {
	p := &w.probes[i]
	if p.test != "" && w.passed[i] == nil && !alone {
		if err := w.turn(ctx, none, none); err != nil {
			return false, err
		}
		w.passed[i] = w.value(ctx, i)
	}
	if err := w.turn(ctx, x.id, x.rule); err != nil {
		return false, err
	}
	if p.test == "" {
		v, err := w.gate.runCase(ctx, p.c)
		return !p.c.accepts(v), err
	}
	got := w.value(ctx, i)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if alone { // nothing to compare with: a test that gives nothing fails
		return got == nil || got.Compare(ast.Boolean(false)) == 0, nil
	}
	return got == nil || got.Compare(w.passed[i]) != 0, nil
}

// value is what a test gives: true, or what its cases give by name; nil where it is
// undefined or breaks.
func (w *mutator) value(ctx context.Context, i int) ast.Value {
	limited, cancel := context.WithTimeout(ctx, w.gate.deadline)
	defer cancel()
	rs, err := w.queries[i].Eval(limited)
	if err != nil || len(rs) != 1 {
		return nil
	}
	v, err := ast.InterfaceToValue(rs[0].Bindings["x"])
	if err != nil {
		return nil
	}
	return v
}

// turn switches to a mutant.
func (w *mutator) turn(ctx context.Context, id, rule int) error {
	return storage.WriteOne(ctx, w.store, storage.ReplaceOp, storage.Path{mutantRoot}, mutantNow(id, rule))
}
