package policies

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

// A row's facts as the places of a table: so that classes are told apart without
// naming each field, and that a field that is forgotten here is found by a test.

// The kinds of facts.
const (
	aWord  = iota // one of a few words, held as their number
	aCount        // a number of days
	aPlace        // the jurisdictions, and the regimes that follow from them
)

// fact is one field of Subject or Consent.
type fact struct {
	part, name string
	kind       int
	names      []string // of a word
	at         int      // its place among those of its kind
}

const (
	manyWords  = 20
	manyCounts = 3
)

// factTable lists all facts as their encoding does.
var factTable = func() []fact {
	table := []fact{
		{part: "consent", name: "age_days", kind: aCount},
		{part: "consent", name: "device_storage", names: factNames},
		{part: "consent", name: "explicit", names: factNames},
		{part: "consent", name: "google", names: signalNames},
		{part: "consent", name: "guardian", names: factNames},
		{part: "consent", name: "proof", names: factNames},
		{part: "consent", name: "status", names: statusNames},
		{part: "consent", name: "tcf", names: signalNames},
		{part: "subject", name: "age_band", names: ageNames},
		{part: "subject", name: "customer", names: factNames},
		{part: "subject", name: "erasure", names: erasureNames},
		{part: "subject", name: "gpc", names: factNames},
		{part: "subject", name: "inactive_days", kind: aCount},
		{part: "subject", name: "jurisdictions", kind: aPlace},
		{part: "subject", name: "limit_sensitive", names: factNames},
		{part: "subject", name: "objected", names: factNames},
		{part: "subject", name: "opt_out_offered", names: factNames},
		{part: "subject", name: "opted_out", names: factNames},
		{part: "subject", name: "opted_out_ads", names: factNames},
		{part: "subject", name: "opted_out_days", kind: aCount},
		{part: "subject", name: "opted_out_profiling", names: factNames},
		{part: "subject", name: "regimes", kind: aPlace},
		{part: "subject", name: "restricted", names: factNames},
		{part: "subject", name: "suppressed", names: suppressionNames},
		{part: "subject", name: "suppressed_elsewhere", names: factNames},
	}
	var next [3]int
	for i := range table {
		table[i].at = next[table[i].kind]
		next[table[i].kind]++
	}
	return table
}()

// values are the facts in the table's order.
func (k *key) values() (w [manyWords]uint8, n [manyCounts]Days) {
	c, s := &k.consent, &k.subject
	w = [manyWords]uint8{uint8(c.DeviceStorage), uint8(c.Explicit), uint8(c.Google), uint8(c.Guardian), uint8(c.Proof), uint8(c.Status), uint8(c.TCF),
		uint8(s.AgeBand), uint8(s.Customer), uint8(s.Erasure), uint8(s.GPC), uint8(s.LimitSensitive), uint8(s.Objected), uint8(s.OptOutOffered), uint8(s.OptedOut),
		uint8(s.OptedOutAds), uint8(s.OptedOutProfiling), uint8(s.Restricted), uint8(s.Suppressed), uint8(s.SuppressedElsewhere)}
	return w, [manyCounts]Days{c.AgeDays, s.InactiveDays, s.OptedOutDays}
}

// keyWith is the opposite of values.
func keyWith(w [manyWords]uint8, n [manyCounts]Days, places List) key {
	return key{
		consent: Consent{AgeDays: n[0], DeviceStorage: Fact(w[0]), Explicit: Fact(w[1]), Google: SignalState(w[2]), Guardian: Fact(w[3]), Proof: Fact(w[4]),
			Status: Status(w[5]), TCF: SignalState(w[6])},
		subject: Subject{AgeBand: AgeBand(w[7]), Customer: Fact(w[8]), Erasure: Erasure(w[9]), GPC: Fact(w[10]), InactiveDays: n[1], Jurisdictions: places,
			LimitSensitive: Fact(w[11]), Objected: Fact(w[12]), OptOutOffered: Fact(w[13]), OptedOut: Fact(w[14]), OptedOutAds: Fact(w[15]), OptedOutDays: n[2],
			OptedOutProfiling: Fact(w[16]), Restricted: Fact(w[17]), Suppressed: Suppression(w[18]), SuppressedElsewhere: Fact(w[19])},
	}
}

// wordOf is the number of a word that a row may hold: one that is none of the list is
// told as the first, unknown (name).
func (f *fact) wordOf(n uint8) int {
	if int(n) < len(f.names) {
		return int(n)
	}
	return 0
}

// The terms of facts, made once: an evaluation needs all of them.
var (
	unknownTerm = ast.StringTerm("unknown")
	factTerms   = func() [][2]*ast.Term {
		var out [][2]*ast.Term
		for _, f := range factTable {
			out = append(out, [2]*ast.Term{ast.StringTerm(f.part), ast.StringTerm(f.name)})
		}
		return out
	}()
	wordTerms = func() map[string]*ast.Term {
		out := map[string]*ast.Term{}
		for _, f := range factTable {
			for _, n := range f.names {
				out[n] = ast.StringTerm(n)
			}
		}
		return out
	}()
)

func (l List) term() *ast.Term {
	var items []*ast.Term
	for _, i := range l.Items() {
		items = append(items, ast.StringTerm(i))
	}
	return ast.ArrayTerm(items...)
}

func (d Days) value() ast.Value {
	if d == 0 {
		return unknownTerm.Value
	}
	return ast.IntNumberTerm(int(d) - 1).Value
}

// terms are the parts of the input that hold a row's facts.
func (k *key) terms(regimes List) (consent, subject *ast.Term) {
	w, n := k.values()
	parts := map[string][][2]*ast.Term{}
	for i := range factTable {
		f := &factTable[i]
		var t *ast.Term
		switch f.kind {
		case aWord:
			t = wordTerms[f.names[f.wordOf(w[f.at])]]
		case aCount:
			t = ast.NewTerm(n[f.at].value())
		default:
			t = k.subject.Jurisdictions.term()
			if f.name == "regimes" {
				t = regimes.term()
			}
		}
		parts[f.part] = append(parts[f.part], [2]*ast.Term{factTerms[i][1], t})
	}
	return ast.ObjectTerm(parts["consent"]...), ast.ObjectTerm(parts["subject"]...)
}
