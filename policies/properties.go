package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/weir-cdp/weir"
)

// Property is something that must hold of every policy, whatever its rules: tried on
// made-up people and questions, the same ones every time.
type Property struct {
	Name       string
	Title      string
	Checked    int // denials that were held against what the property says
	Failed     int
	Violations []Violation // the first few
}

// Violation is an answer that a policy must not give.
type Violation struct {
	Change string          // what turned a denial into an allow
	Before string          // "deny (D06)"
	After  string          // "allow (consent)"
	Where  []string        // file:line of the rules that held
	Inputs json.RawMessage // what was asked
}

// The three properties of the design.
const (
	propertyEmpty       = "empty_subject"
	propertyRestriction = "added_restriction"
	propertyField       = "removed_field"
)

const (
	propertyInputs     = 400 // people and questions for each property
	violationsShown    = 5
	propertySeed       = 20260601
	propertyFieldEvery = 3 // a removed field is tried on fewer
	lawsAdded          = 5 // to each, in turn
)

// properties tries the three on the policy as it is loaded.
func (g *Gate) properties(ctx context.Context, progress func(weir.Progress)) ([]Property, error) {
	p := &propertyCheck{gate: g, makes: newMaker(g)}
	steps := []struct {
		of   Property
		n    int
		test func(ctx context.Context, i int) ([]Violation, int, error)
	}{
		{Property{Name: propertyEmpty, Title: "of whom nothing is known, nothing is sent but what a contract or a law demands"}, len(p.makes.purposes), p.empty},
		{Property{Name: propertyRestriction, Title: "one restriction more never turns a denial into an allow"}, propertyInputs, p.restricted},
		{Property{Name: propertyField, Title: "one field less never turns a denial into an allow"}, propertyInputs / propertyFieldEvery, p.without},
	}
	var out []Property
	for _, s := range steps {
		done, err := s.of.run(ctx, s.n, s.test, progress)
		if err != nil {
			return nil, err
		}
		out = append(out, done)
	}
	return out, nil
}

// run tries n made-up inputs on all processors; what it gives does not depend on
// their order.
func (p Property) run(ctx context.Context, n int, test func(context.Context, int) ([]Violation, int, error), progress func(weir.Progress)) (Property, error) {
	type outcome struct {
		found   []Violation
		checked int
		err     error
	}
	all := make([]outcome, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				o := &all[i]
				o.found, o.checked, o.err = test(ctx, i)
			}
		})
	}
	for i := range n {
		next <- i
		progress(weir.Progress{Done: int64(i), Total: int64(n), Unit: "inputs", Note: p.Name})
	}
	close(next)
	wg.Wait()
	for _, o := range all {
		if o.err != nil {
			return p, o.err
		}
		p.Checked += o.checked
		p.Failed += len(o.found)
		p.Violations = append(p.Violations, o.found[:min(len(o.found), violationsShown-len(p.Violations))]...)
	}
	return p, nil
}

type propertyCheck struct {
	gate  *Gate
	makes *maker
}

// empty asks for one purpose, everywhere, about somebody of whom nothing is known, and
// about one of whom nothing bad is known and who never said yes.
func (p *propertyCheck) empty(ctx context.Context, i int) (found []Violation, checked int, err error) {
	may := []string{"contract", "legal_obligation", "notice_opt_out"}
	for _, place := range p.makes.places {
		for _, known := range []bool{false, true} {
			in := p.makes.ordinary(p.makes.purposes[i], place)
			in.Consent, in.Subject = Consent{}, Subject{Jurisdictions: List(place)}
			if known {
				in.Consent.Status = StatusNone
				in.Subject.Erasure, in.Subject.Objected, in.Subject.Restricted, in.Subject.Suppressed = ErasureNone, No, No, NotSuppressed
			}
			v, err := p.gate.Evaluate(ctx, in)
			if err != nil {
				return nil, 0, err
			}
			checked++
			if v.Allow && !slices.Contains(may, v.Basis) {
				found = append(found, p.violation("nothing is known", Verdict{Reasons: []string{"no_basis"}}, v, in.canonical()))
			}
		}
	}
	return found, checked, nil
}

// restricted takes a denied input and makes it worse in every way.
func (p *propertyCheck) restricted(ctx context.Context, i int) (found []Violation, checked int, err error) {
	in := p.makes.input(i)
	before, err := p.gate.Evaluate(ctx, in)
	if err != nil || before.Allow {
		return nil, 0, err
	}
	worse := maps.Clone(restrictions)
	for n := range lawsAdded {
		if place := p.makes.places[(i*lawsAdded+n)%len(p.makes.places)]; place != "" {
			worse["also under the law of "+place] = also(place)
		}
	}
	for _, name := range sorted(worse) {
		next := in
		worse[name](&next)
		if next == in {
			continue
		}
		after, err := p.gate.Evaluate(ctx, next)
		if err != nil {
			return nil, 0, err
		}
		checked++
		if after.Allow {
			found = append(found, p.violation(name, before, after, next.canonical()))
		}
	}
	return found, checked, nil
}

// without takes a denied input and leaves out each of its fields.
func (p *propertyCheck) without(ctx context.Context, i int) (found []Violation, checked int, err error) {
	in := p.makes.input(i)
	in.Subject.Regimes = p.gate.vocab.regimes(in.Subject.Jurisdictions)
	before, err := p.gate.Evaluate(ctx, in)
	if err != nil || before.Allow {
		return nil, 0, err
	}
	var whole map[string]map[string]any
	if err := json.Unmarshal(in.canonical(), &whole); err != nil {
		return nil, 0, weir.Errorf(weir.Internal, "%w", err)
	}
	for _, part := range sorted(whole) {
		for _, field := range sorted(whole[part]) {
			value := whole[part][field]
			delete(whole[part], field)
			v, err := ast.InterfaceToValue(whole)
			if err != nil {
				return nil, 0, weir.Errorf(weir.Internal, "%w", err)
			}
			after, err := p.gate.ask(ctx, v)
			if err != nil {
				return nil, 0, err
			}
			checked++
			if after.Allow {
				inputs, _ := json.Marshal(whole)
				found = append(found, p.violation("without "+part+"."+field, before, after, inputs))
			}
			whole[part][field] = value
		}
	}
	return found, checked, nil
}

func (p *propertyCheck) violation(change string, before, after Verdict, inputs []byte) Violation {
	x := Violation{Change: change, Before: words(before), After: words(after), Inputs: json.RawMessage(inputs)}
	for _, code := range after.Rules {
		x.Where = append(x.Where, p.gate.Rule(code).At)
	}
	return x
}

// maker makes people and questions from the policy's own vocabulary.
type maker struct {
	purposes, places, categories, kinds, countries []string
	days                                           []Days
}

func newMaker(g *Gate) *maker {
	m := &maker{purposes: g.vocab.purposes, places: append(sorted(g.vocab.regime), "unknown", ""), kinds: []string{"esp", "ads", "unknown"},
		categories: []string{"health", "unlisted"}, countries: []string{"unknown", "XX"}, days: []Days{0, DaysOf(0), DaysOf(5000)}}
	for name, into := range map[string]*[]string{"categories": &m.categories, "destinations": &m.kinds} {
		if known, ok := g.data[name].(map[string]any); ok {
			*into = append(*into, sorted(known)...)
		}
	}
	for _, place := range m.places {
		if len(place) == 2 {
			m.countries = append(m.countries, place)
		}
	}
	for _, limit := range g.vocab.thresholds {
		m.days = append(m.days, DaysOf(limit), DaysOf(limit+1))
	}
	return m
}

// ordinary is a question in order about a grown-up of whom nothing bad is known and who
// agreed.
func (m *maker) ordinary(purpose, place string) Input {
	country := place
	if len(country) > 2 {
		country = country[:2]
	}
	return Input{
		Activation:  Activation{Channel: "email", Device: No, Effect: "none", HumanReview: Yes, Purpose: purpose},
		Consent:     Consent{AgeDays: DaysOf(0), DeviceStorage: Yes, Explicit: Yes, Google: SignalGranted, Guardian: Yes, Proof: Yes, Status: StatusGranted, TCF: SignalGranted},
		Controller:  Controller{Charity: Yes, Minors: No},
		Destination: Destination{Country: country, DPA: Yes, Google: No, TCF: No, Kind: "esp", Mechanism: "scc", Purposes: ListOf(purpose), Role: "processor", Transfer: "none"},
		Subject: Subject{AgeBand: Adult, Customer: Yes, Erasure: ErasureNone, GPC: No, InactiveDays: DaysOf(0), Jurisdictions: List(place), LimitSensitive: No, Objected: No,
			OptOutOffered: Yes, OptedOut: No, OptedOutAds: No, OptedOutProfiling: No, Restricted: No, Suppressed: NotSuppressed, SuppressedElsewhere: No},
	}
}

// input is the nth made-up input: one in order, with one restriction in turn, half of
// them without consent, half with a thing or two changed: most are denied for one
// reason, which one more restriction or one field less must not take away.
func (m *maker) input(n int) Input {
	r := newDraws(propertySeed + uint64(n)) //nolint:gosec // not negative
	names := sorted(restrictions)
	in := m.ordinary(pick(r, m.purposes...), pick(r, m.places...))
	if r.IntN(4) == 0 {
		in.Subject.Jurisdictions = ListOf(pick(r, m.places...), pick(r, m.places...))
	}
	restrictions[names[n%len(names)]](&in)
	if n/len(names)%2 == 1 {
		restrictions["never"](&in)
	}
	for range r.IntN(3) {
		m.alter(r, &in)
	}
	return in
}

// alter changes one thing, to better or worse.
func (m *maker) alter(r *draws, in *Input) {
	fact := func() Fact { return pick(r, Yes, No, Unknown) }
	signal := func() SignalState { return pick(r, SignalGranted, SignalDenied, SignalMissing, SignalUnknown) }
	s, c, d, a := &in.Subject, &in.Consent, &in.Destination, &in.Activation
	changes := []func(){
		func() { s.GPC, s.OptedOut = fact(), fact() }, func() { s.Objected = fact() }, func() { s.Restricted = fact() }, func() { s.OptedOutAds = fact() },
		func() { s.OptedOutProfiling = fact() }, func() { s.LimitSensitive = fact() }, func() { s.SuppressedElsewhere = fact() }, func() { s.Customer = fact() },
		func() { s.OptOutOffered = fact() }, func() { s.Erasure = pick(r, ErasureNone, ErasureRequested, ErasureDone, ErasureUnknown) },
		func() { s.AgeBand = pick(r, AgeUnknown, AgeUnder13, Age13, Age14, Age15, Age16, Age17, Adult) }, func() { s.InactiveDays = pick(r, m.days...) },
		func() { s.OptedOut, s.OptedOutDays = Yes, pick(r, m.days...) },
		func() { s.Suppressed = pick(r, NotSuppressed, FreshlySuppressed, Suppressed, SuppressionUnknown) },
		func() { c.AgeDays = pick(r, m.days...) }, func() { c.Explicit = fact() }, func() { c.Proof = fact() }, func() { c.Guardian = fact() },
		func() { c.Status = pick(r, StatusNone, StatusDenied, StatusWithdrawn, StatusExpired, StatusUnknown) },
		func() { d.Transfer = pick(r, "share", "sale", "unknown") }, func() { d.Kind = pick(r, m.kinds...) }, func() { d.Role, d.DPA = pick(r, "third_party", "unknown"), fact() },
		func() { d.Country, d.Mechanism = pick(r, m.countries...), pick(r, "adequacy", "scc", "dpf", "none") }, func() { d.Purposes = "" },
		func() { d.TCF, c.TCF = fact(), signal() }, func() { d.Google, c.Google = fact(), signal() },
		func() { a.Device, c.DeviceStorage = fact(), fact() }, func() { a.Effect, a.HumanReview = "significant", fact() },
		func() { a.Categories = ListOf(pick(r, m.categories...)) }, func() { a.Channel = pick(r, "sms", "ads", "post", "push", "unknown") },
		func() { in.Controller = Controller{Charity: fact(), Minors: fact()} },
	}
	changes[r.IntN(len(changes))]()
}

// draws are the same numbers every time: splitmix64 (Steele, Lea, Flood, 2014).
type draws struct{ state uint64 }

func newDraws(seed uint64) *draws { return &draws{state: seed * 0x9e3779b97f4a7c15} }

// IntN is a number below n, which is small.
func (d *draws) IntN(n int) int {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return int((z ^ (z >> 31)) % uint64(n)) //nolint:gosec // both are small
}

func pick[T any](r *draws, of ...T) T { return of[r.IntN(len(of))] }

// String is what officers read.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s before, %s after", v.Change, v.Before, v.After)
}
