package policies

import (
	"context"
	"errors"
	"fmt"
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
}

// Passed says whether everything holds: every test and case, and every line of
// every rule reached by a test.
func (r TestReport) Passed() bool {
	return len(r.Tests) > 0 && len(r.Uncovered) == 0 &&
		!slices.ContainsFunc(r.Tests, func(t RegoTest) bool { return !t.Passed }) &&
		!slices.ContainsFunc(r.Cases, func(c CaseResult) bool { return !c.Passed })
}

// Test runs the Rego tests and the cases of a policy's folder ("": the built-in
// policy).
func Test(ctx context.Context, dir string) (TestReport, error) {
	fsys, name, err := open(dir)
	if err != nil {
		return TestReport{}, err
	}
	f, err := read(fsys)
	if err != nil {
		return TestReport{}, below(name, err)
	}
	g, err := f.gate(ctx, name, 0)
	if err != nil {
		return TestReport{}, err
	}
	report := TestReport{Revision: g.revision}
	if err := f.runRego(ctx, name, &report); err != nil {
		return TestReport{}, err
	}
	if report.Cases, err = g.RunCases(ctx, fsys); err != nil {
		return TestReport{}, below(name, err)
	}
	return report, nil
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
