package policies

import (
	"bytes"
	"context"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/plan"
)

// asked is a question that a gate was asked, and what its policy can tell of rows for
// it. Deciders of the same question share it.
type asked struct {
	fixed  [][2]*ast.Term
	texts  questionTexts
	mu     sync.Mutex
	lenses map[List]*lens
}

// How many questions a gate remembers, and lists of jurisdictions of each.
const (
	maxQuestions = 256
	maxLenses    = 4096
)

// The paths of the input that a lens knows, and those that always hold a list.
var (
	fixedPaths = [][]string{{"activation"}, {"controller"}, {"destination"}, {"subject", "jurisdictions"}, {"subject", "regimes"}}
	listPaths  = [][]string{{"activation", "categories"}, {"destination", "purposes"}, {"subject", "jurisdictions"}, {"subject", "regimes"}}
)

// wordDomains are the values of facts that are words.
var wordDomains = func() map[string][]ast.Value {
	out := map[string][]ast.Value{}
	for _, f := range factTable {
		for _, n := range f.names {
			out[f.part+"."+f.name] = append(out[f.part+"."+f.name], ast.String(n))
		}
	}
	return out
}()

// question finds or makes what is remembered of a question; only its fixed inputs count.
func (g *Gate) question(in Input) *asked {
	in.Subject, in.Consent = Subject{}, Consent{}
	g.mu.Lock()
	defer g.mu.Unlock()
	if a, ok := g.questions[in]; ok {
		return a
	}
	a := &asked{lenses: map[List]*lens{}, texts: questionTexts{encoded(in.Activation), encoded(in.Controller), encoded(in.Destination)}}
	for name, text := range map[string][]byte{"activation": a.texts.activation, "controller": a.texts.controller, "destination": a.texts.destination} {
		v, err := ast.ValueFromReader(bytes.NewReader(text))
		if err != nil {
			panic("policies: plain fields did not decode: " + err.Error())
		}
		a.fixed = append(a.fixed, [2]*ast.Term{ast.StringTerm(name), ast.NewTerm(v)})
	}
	if g.questions == nil || len(g.questions) >= maxQuestions {
		g.questions = map[Input]*asked{}
	}
	g.questions[in] = a
	return a
}

// lens finds or makes what the policy can tell of rows of these jurisdictions.
func (g *Gate) lens(ctx context.Context, a *asked, places List) *lens {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l, ok := a.lenses[places]; ok {
		return l
	}
	regimes := g.vocab.regimes(places)
	subject := ast.ObjectTerm([2]*ast.Term{ast.StringTerm("jurisdictions"), places.term()}, [2]*ast.Term{ast.StringTerm("regimes"), regimes.term()})
	known := ast.ObjectTerm(append(a.fixed[:len(a.fixed):len(a.fixed)], [2]*ast.Term{ast.StringTerm("subject"), subject})...)
	l, short := g.look(ctx, known, places, regimes)
	if short && ctx.Err() == nil { // a machine that stood still: another lens would change every class's id
		l, _ = g.look(ctx, known, places, regimes)
	}
	if ctx.Err() != nil {
		return l // cut short: not kept
	}
	if len(a.lenses) >= maxLenses {
		clear(a.lenses)
	}
	a.lenses[places] = l
	return l
}

// look makes a lens within the deadline; one that is cut short takes more apart than
// it must.
func (g *Gate) look(ctx context.Context, known *ast.Term, places, regimes List) (l *lens, short bool) {
	limited, cancel := context.WithTimeout(ctx, g.deadline)
	defer cancel()
	l = newLens(g.reads().Plan(limited, known), places, regimes)
	return l, limited.Err() != nil
}

// row asks the policy about one row's facts, for a run: one for which the policy took
// too long too often gets an error.
func (g *Gate) row(ctx context.Context, run weir.RunID, a *asked, k *key) (Verdict, error) {
	if g.distrust != "" {
		return g.distrusted(), nil
	}
	consent, subject := k.terms(g.vocab.regimes(k.subject.Jurisdictions))
	input := ast.NewObject(append(a.fixed[:len(a.fixed):len(a.fixed)], [2]*ast.Term{ast.StringTerm("consent"), consent}, [2]*ast.Term{ast.StringTerm("subject"), subject})...)
	if err := g.late.refusal(run); err != nil {
		return failed("refused"), err
	}
	v, late, err := g.eval(ctx, input, true)
	if late && err == nil {
		g.count(ctx, run, input)
		err = g.late.refusal(run)
	}
	return v, err
}

// Cost is an expression that keeps rows from being decided together.
type Cost struct {
	Where string // file:line, within the policy's folder
	Expr  string
	Reads string // what it reads in a way that tells every value apart
}

// Costs lists the expressions that defeat classes, sorted by what they read: every
// number of days is then a class of its own, for any question that gets to them.
func (g *Gate) Costs() []Cost { return costs(g.reads()) }

func costs(p *plan.Policy) []Cost {
	found := p.Plan(context.Background(), nil)
	var out []Cost
	for i := range factTable {
		f := &factTable[i]
		if r := found.Of(f.part, f.name); f.kind == aCount && r.Raw {
			out = append(out, Cost{Where: r.Where, Expr: r.Expr, Reads: "input." + f.part + "." + f.name})
		}
	}
	return out
}
