package policies

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/weir-cdp/weir"
)

// RegoTest is the outcome of one test rule; a rule that walks over cases has one
// a case.
type RegoTest struct {
	Name   string // data.consent.deny_test.test_withdrawn
	Where  string // file:line
	Passed bool
	Detail string // which cases failed, or the error
}

// TestReport is what a policy's own tests and cases say.
type TestReport struct {
	Revision  string
	Tests     []RegoTest
	Cases     []CaseResult
	Coverage  float64  // of the rules' lines by the Rego tests, in percent
	Uncovered []string // file:line of rules and expressions that no test reaches
	// Of Prove alone: what holds of every policy, and what breaks unnoticed. Mutation
	// is nil where tests or cases fail, since then nothing can be told by them.
	Properties []Property      `json:",omitempty"`
	Mutation   *MutationReport `json:",omitempty"`
	// Proved says that all of it was asked, so that Passed means it.
	Proved bool
}

// Passed says whether everything holds that was tried: every test and case, every
// line of every rule reached by a test, every property, and no mutant unnoticed.
func (r TestReport) Passed() bool {
	return r.answered() && len(r.Uncovered) == 0 && (!r.Proved || r.Mutation != nil && len(r.Mutation.Survivors) == 0) &&
		!slices.ContainsFunc(r.Properties, func(p Property) bool { return len(p.Violations) > 0 })
}

// answered says whether all tests and cases pass.
func (r TestReport) answered() bool {
	return len(r.Tests) > 0 && !slices.ContainsFunc(r.Tests, func(t RegoTest) bool { return !t.Passed }) &&
		!slices.ContainsFunc(r.Cases, func(c CaseResult) bool { return !c.Passed })
}

// Test runs the Rego tests and the cases of a policy's folder ("": the built-in
// policy).
func Test(ctx context.Context, dir string) (TestReport, error) {
	fsys, name, err := open(dir)
	if err != nil {
		return TestReport{}, err
	}
	report, _, _, err := test(ctx, fsys, name)
	return report, err
}

// Prove is Test, and then tries the three properties on made-up people and questions,
// and breaks each rule and condition, one at a time, to see whether a test or case
// notices. It takes some seconds. Progress may be nil.
func Prove(ctx context.Context, dir string, progress func(weir.Progress)) (TestReport, error) {
	fsys, name, err := open(dir)
	if err != nil {
		return TestReport{}, err
	}
	return prove(ctx, fsys, name, progress)
}

func prove(ctx context.Context, fsys fs.FS, name string, progress func(weir.Progress)) (TestReport, error) {
	if progress == nil {
		progress = func(weir.Progress) {}
	}
	report, f, g, err := test(ctx, fsys, name)
	if err != nil {
		return report, err
	}
	report.Proved = true
	if report.Properties, err = g.properties(ctx, progress); err != nil || !report.answered() {
		return report, err
	}
	cases, err := f.parseCases(g.vocab)
	if err != nil {
		return report, err
	}
	report.Mutation, err = f.mutation(ctx, g, cases, progress)
	return report, err
}

func test(ctx context.Context, fsys fs.FS, name string) (TestReport, *files, *Gate, error) {
	f, err := read(fsys)
	if err != nil {
		return TestReport{}, nil, nil, below(name, err)
	}
	g, err := f.gate(ctx, name, 0)
	if err != nil {
		return TestReport{}, nil, nil, err
	}
	report := TestReport{Revision: g.revision}
	if err := f.runRego(ctx, name, &report); err != nil {
		return TestReport{}, nil, nil, err
	}
	if report.Cases, err = g.RunCases(ctx, fsys); err != nil {
		return TestReport{}, nil, nil, below(name, err)
	}
	return report, f, g, nil
}

func (f *files) runRego(ctx context.Context, name string, report *TestReport) error {
	mods, errs := f.modules(true)
	if len(errs) > 0 {
		return compileError(name, errs)
	}
	store := inmem.NewFromObject(f.data)
	covered := cover.New()
	runner := tester.NewRunner().SetCompiler(f.newCompiler()).SetModules(mods).SetStore(store).
		RaiseBuiltinErrors(true).SetTimeout(10 * time.Second).SetCoverageQueryTracer(covered)
	err := storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := runner.RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for r := range results {
			report.Tests = append(report.Tests, regoTest(r))
		}
		return nil
	})
	var failed ast.Errors
	if errors.As(err, &failed) {
		return compileError(name, failed)
	}
	if err != nil {
		return weir.Errorf(weir.Invalid, "the policy's tests can't be run: %w", err).At(name)
	}
	slices.SortFunc(report.Tests, func(a, b RegoTest) int { return strings.Compare(a.Where+a.Name, b.Where+b.Name) })
	for p := range mods {
		if isTest(p) {
			delete(mods, p)
		}
	}
	f.coverage(covered.Report(mods), report)
	return nil
}

func regoTest(r *tester.Result) RegoTest {
	t := RegoTest{Name: r.Package + "." + r.Name, Where: at(r.Location.File, r.Location.Row), Passed: r.Pass()}
	if r.Error != nil {
		t.Detail = r.Error.Error()
	}
	for path, sub := range r.SubResults.Iter {
		if sub.Fail {
			t.Passed = false
			t.Detail = strings.TrimSpace(t.Detail + " failed: " + strings.Join(path, "/"))
		}
	}
	return t
}

// coverage counts the lines of rules, without the tests' own.
func (f *files) coverage(all cover.Report, report *TestReport) {
	hit, missed := 0, 0
	for _, p := range sorted(all.Files) {
		if _, rule := f.rego[p]; !rule || isTest(p) {
			continue
		}
		file := all.Files[p]
		hit += file.CoveredLines
		missed += file.NotCoveredLines
		for _, r := range file.NotCovered {
			report.Uncovered = append(report.Uncovered, fmt.Sprintf("%s:%d", p, r.Start.Row))
		}
	}
	if hit+missed > 0 {
		report.Coverage = 100 * float64(hit) / float64(hit+missed)
	}
}
