package policies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/consents"
)

// Case is one row of cases/*.yaml: a person's state, what is asked, and the
// answer that an officer expects. bundle/cases/README.md tells how to write one.
type Case struct {
	File  string
	Line  int
	Name  string // `case`: 1.6's number, or the officer's own name
	Title string

	input       Input
	without     []string // fields left out, as "subject.restricted"
	consents    []caseEntry
	later       []caseEntry // arrived after the decision, before the delivery
	gate        string      // what is wrong with the gate
	want        string      // allow, deny
	basis       string
	reasons     []string
	reasonsLine int
	// obligations are those with which it is allowed; nil: whichever
	obligations map[string]string
}

// CaseResult is what became of a case.
type CaseResult struct {
	Case
	Passed bool
	Want   string // "allow (consent)", "deny (D06)"
	Got    string
	Fault  string // of a D31
}

// At is the case's place, file:line.
func (c Case) At() string { return at(c.File, c.Line) }

// caseNow is the moment at which all cases are asked; they count in days ago.
var caseNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// RunCases asks the gate every case of a policy's folder. An error says that
// case files are wrong: all of them, joined, with file, line and nearest name.
func (g *Gate) RunCases(ctx context.Context, fsys fs.FS) ([]CaseResult, error) {
	f, err := read(fsys)
	if err != nil {
		return nil, err
	}
	cases, err := f.parseCases(g.vocab)
	if err != nil {
		return nil, err
	}
	out := make([]CaseResult, 0, len(cases))
	for _, c := range cases {
		asked := g
		switch c.gate {
		case gateUnsigned:
			asked = g.Distrust("a case says so")
		case gateFailing:
			if asked, err = f.failing(ctx); err != nil {
				return nil, err
			}
		}
		v, err := asked.runCase(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, CaseResult{Case: c, Passed: c.accepts(v), Want: words(c.wanted()), Got: words(v), Fault: v.Fault})
	}
	return out, nil
}

func (c Case) wanted() Verdict {
	return Verdict{Allow: c.want == "allow", Basis: c.basis, Reasons: c.reasons, Obligations: c.obligations}
}

// accepts tells whether an answer is the one that is wanted.
func (c Case) accepts(v Verdict) bool {
	return v.Allow == (c.want == "allow") && (c.basis == "" || v.Basis == c.basis) && (c.reasons == nil || slices.Equal(v.Reasons, c.reasons)) &&
		(c.obligations == nil || maps.Equal(v.Obligations, c.obligations))
}

// parseCases reads all case files in the order of their names.
func (f *files) parseCases(vocab *vocabulary) ([]Case, error) {
	var all []Case
	var problems []error
	for _, p := range sorted(f.cases) {
		cases, err := parseCaseFile(p, f.cases[p], vocab)
		if err != nil {
			problems = append(problems, err)
		}
		all = append(all, cases...)
	}
	seen := map[string]string{}
	for _, c := range all {
		if was, double := seen[c.Name]; double {
			problems = append(problems, weir.Errorf(weir.Invalid, "case %s is already at %s", c.Name, was).At(c.At()).Then("give it a name of its own"))
		}
		seen[c.Name] = c.At()
	}
	return all, errors.Join(problems...)
}

// What a case may say is wrong with the gate.
const (
	gateUnsigned = "unsigned" // or too old
	gateFailing  = "failing"  // a rule that breaks while it is asked
)

// failing is the same policy with one rule more, which breaks.
func (f *files) failing(ctx context.Context) (*Gate, error) {
	broken := *f
	broken.rego = maps.Clone(f.rego)
	broken.rego["consent/deny/failing_case.rego"] = "package consent.deny\n\nreasons contains {\"code\": \"failing\"} if to_number(sprintf(\"x%s\", [input.activation.purpose])) > 0\n"
	return broken.gate(ctx, "a case of a failing policy", 0)
}

func (g *Gate) runCase(ctx context.Context, c Case) (Verdict, error) {
	in := c.input
	if c.consents != nil {
		if err := g.foldCase(&in, c); err != nil {
			return Verdict{}, err
		}
	}
	if c.later != nil { // decided before, asked again at the delivery
		if v, err := g.Evaluate(ctx, in); err != nil || !v.Allow {
			return v, err
		}
		c.consents = append(slices.Clone(c.consents), c.later...)
		if err := g.foldCase(&in, c); err != nil {
			return Verdict{}, err
		}
	}
	if len(c.without) == 0 {
		return g.Evaluate(ctx, in)
	}
	in.Subject.Regimes = g.vocab.regimes(in.Subject.Jurisdictions)
	var fields map[string]map[string]any
	if err := json.Unmarshal(in.canonical(), &fields); err != nil {
		return Verdict{}, err
	}
	for _, path := range c.without {
		part, field, _ := strings.Cut(path, ".")
		delete(fields[part], field)
	}
	v, err := ast.InterfaceToValue(fields)
	if err != nil {
		return Verdict{}, err
	}
	return g.ask(ctx, v)
}

// The addresses of a case's person: `for` of an entry names one.
var caseAddresses = map[string]consents.Address{
	"this":   {Kind: "email", Value: "this"},          // the address that would be used
	"record": {Kind: "phone", Value: "record"},        // held together with it in one record
	"other":  {Kind: "email", Value: "other"},         // on another record of the profile
	"device": {Kind: "anonymous_id", Value: "device"}, // a browser that was merged into the profile
}

// caseVendor is the vendor that a destination with tcf: yes is in cases.
const caseVendor = 755

// foldCase lets the case's entries say what holds, as the decide stage does.
func (g *Gate) foldCase(in *Input, c Case) error {
	d, err := g.Decider(Question{Run: weir.Run{Now: caseNow}, Activation: weir.ActivationDef{Purpose: in.Activation.Purpose, Channel: in.Activation.Channel},
		Destination: weir.Privacy{Google: in.Destination.Google == Yes, TCFVendor: map[bool]int{true: caseVendor}[in.Destination.TCF == Yes]}})
	if err != nil {
		return err
	}
	p := Person{Addresses: []consents.Address{caseAddresses["this"]}, Consents: consents.Profile{Held: []weir.Identifiers{
		{"email": {"this"}, "phone": {"record"}}, {"email": {"other"}}, {"anonymous_id": {"device"}}}}}
	for i, e := range c.consents {
		p.Consents.Entries = append(p.Consents.Entries, e.entry(fmt.Sprint(i)))
	}
	r := d.Describe(p)
	device := in.Consent.DeviceStorage
	in.Consent = r.Consent
	in.Consent.DeviceStorage = device // cases say it themselves
	s := &in.Subject
	f := r.Subject
	s.Erasure, s.GPC, s.Objected, s.OptedOut, s.OptedOutDays, s.Restricted = f.Erasure, f.GPC, f.Objected, f.OptedOut, f.OptedOutDays, f.Restricted
	s.OptedOutAds, s.OptedOutProfiling, s.LimitSensitive = f.OptedOutAds, f.OptedOutProfiling, f.LimitSensitive
	s.Suppressed, s.SuppressedElsewhere = f.Suppressed, f.SuppressedElsewhere
	return nil
}

// caseEntry is one consent entry of a case.
type caseEntry struct {
	action, purpose, channel, proof, forAddress string
	actor, method, signal                       string
	daysAgo, minutesAgo                         int
	explicit                                    bool
	expiresInDays                               *int
}

func (e caseEntry) entry(id string) weir.Consent {
	a := caseAddresses[e.forAddress]
	t := caseNow.AddDate(0, 0, -e.daysAgo).Add(-time.Duration(e.minutesAgo) * time.Minute)
	c := weir.Consent{ID: id, Kind: a.Kind, Value: a.Value, Purpose: e.purpose, Channel: e.channel, Action: weir.Action(e.action),
		OccurredAt: t, RecordedAt: t, Explicit: e.explicit, Proof: e.proof, Actor: e.actor, Method: e.method, RawSignal: e.signal}
	if e.expiresInDays != nil {
		c.ExpiresAt = caseNow.AddDate(0, 0, *e.expiresInDays)
	}
	return c
}
