package policies

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/policies/permit"
)

// obliging is the built-in policy with these rules about obligations.
func obliging(t *testing.T, rules string) *Gate {
	t.Helper()
	return mustLoad(t, bundleWith(t, [3]string{"consent/obligations/obligations.rego", "", "package consent.obligations\n\n" + rules + "\n"}))
}

// What only the destination can carry out is denied where it can't, so that who is
// held there is removed, and allowed under the same obligation where it can.
func TestObligationsMustBeCarriedOut(t *testing.T) {
	able := Carrier{Obligations: []string{IncludeOptOutLink, PartitionByClass, "blur"}}
	for name, x := range map[string]struct {
		rule    string
		link    string
		carrier Carrier
		met     bool
	}{
		"a link":                      {`due := {{"name": "include_optout_link", "value": "yes"}}`, "https://x.test/{key}", able, true},
		"a link without a template":   {`due := {{"name": "include_optout_link", "value": "yes"}}`, "", able, false},
		"a link that does not go out": {`due := {{"name": "include_optout_link", "value": "yes"}}`, "https://x.test", Carrier{able.Obligations, func(string) bool { return false }}, false},
		"a link, unable":              {`due := {{"name": "include_optout_link", "value": "yes"}}`, "https://x.test", Carrier{}, false},
		"parts":                       {`due := {{"name": "partition_by_class", "value": "yes"}}`, "", able, true},
		"parts, unable":               {`due := {{"name": "partition_by_class", "value": "yes"}}`, "", Carrier{}, false},
		"dropped":                     {`due := {{"name": "drop_fields", "value": "first_name"}}`, "", Carrier{}, true},
		"set":                         {`due := {{"name": "set", "value": "consent=granted"}}`, "", Carrier{}, true},
		"set, and does not go out":    {`due := {{"name": "set", "value": "consent=granted"}}`, "", Carrier{Sends: func(f string) bool { return f != "consent" }}, false},
		"of a name of its own":        {`due := {{"name": "blur", "value": "5"}}`, "", able, true},
		"of a name that nobody knows": {`due := {{"name": "bless", "value": "yes"}}`, "", able, false},
		"one met, one not":            {`due := {{"name": "blur", "value": "5"}, {"name": "bless", "value": "yes"}}`, "", able, false},
		"none":                        {`due := set()`, "", Carrier{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			g, q := obliging(t, x.rule), question()
			q.Activation.OptOutLink, q.Carrier = x.link, x.carrier
			d := decide(t, g, q, candidate("p", 10))[0]
			if d.Decision.Allow != x.met || (!x.met && !slices.Equal(d.Class.Reasons, []string{UnmetObligation})) {
				t.Fatalf("%v %v %s", d.Decision.Allow, d.Class.Reasons, d.Class.Obligations)
			}
			// What was allowed while the destination could is stopped once it can't.
			q.Carrier = Carrier{Sends: func(string) bool { return false }}
			_, refused := recheck(t, g, q, []Decided{d})
			if still := name == "dropped" || name == "none"; (len(refused) == 0) != still || (!still && refused[0].Reasons[0] != UnmetObligation) {
				t.Errorf("%v", refused)
			}
		})
	}
}

// A class that is denied for its obligations has another id than the same one allowed:
// its row in consent.classes says otherwise.
func TestWhatIsCarriedOutIsPartOfTheClass(t *testing.T) {
	g, q := obliging(t, `due := {{"name": "partition_by_class", "value": "yes"}}`), question()
	denied := decide(t, g, q, candidate("p", 10))[0]
	q.Carrier.Obligations = []string{PartitionByClass}
	allowed := decide(t, g, q, candidate("p", 10))[0]
	if denied.Decision.Allow || !allowed.Decision.Allow || denied.Class.ID == allowed.Class.ID || denied.Class.Inputs != allowed.Class.Inputs {
		t.Errorf("%+v %+v", denied, allowed)
	}
}

// A row goes only as its obligations demand: whoever composed it.
func TestARowMustBeAsItsObligationsDemand(t *testing.T) {
	g := obliging(t, `due := {{"name": "drop_fields", "value": "first_name"}, {"name": "set", "value": "consent=granted"}, {"name": "include_optout_link", "value": "yes"}}`)
	q := question()
	q.Activation.OptOutLink, q.Carrier.Obligations = "https://x.test/out?a={key}&p={profile_id}", []string{IncludeOptOutLink}
	decided := decide(t, g, q, candidate("p", 10))
	c, refused := recheck(t, g, q, decided)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	row := rowsOf(decided)[0]
	link := "https://x.test/out?a=p%40x.test&p=p"
	for name, x := range map[string]struct {
		fields []permit.Field
		goes   bool
	}{
		"as demanded":       {[]permit.Field{{Name: "consent", Value: "granted"}, {Name: "first_name"}, {Name: "optout_link", Value: link}}, true},
		"left out":          {[]permit.Field{{Name: "consent", Value: "granted"}, {Name: "optout_link", Value: link}}, true},
		"not dropped":       {[]permit.Field{{Name: "consent", Value: "granted"}, {Name: "first_name", Value: "A"}, {Name: "optout_link", Value: link}}, false},
		"not set":           {[]permit.Field{{Name: "optout_link", Value: link}}, false},
		"set otherwise":     {[]permit.Field{{Name: "consent", Value: "denied"}, {Name: "optout_link", Value: link}}, false},
		"another's link":    {[]permit.Field{{Name: "consent", Value: "granted"}, {Name: "optout_link", Value: strings.Replace(link, "p=p", "p=q", 1)}}, false},
		"a field beside it": {[]permit.Field{{Name: "consent", Value: "granted"}, {Name: "diagnosis", Value: "x"}, {Name: "optout_link", Value: link}}, false},
	} {
		row.Fields = x.fields
		batches, refused := Admit(c, Delivery{Now: now}, []permit.Row{row})
		if (len(batches) == 1) != x.goes || (len(refused) == 0) != x.goes {
			t.Errorf("%s: %v %v", name, batches, refused)
		}
	}
}

// Who is of another class now must not stay in the part of the old one.
func TestAnotherClassIsAnotherPart(t *testing.T) {
	g, q := obliging(t, `due := {{"name": "partition_by_class", "value": "yes"}}`), question()
	q.Carrier.Obligations = []string{PartitionByClass}
	decided := decide(t, g, q, candidate("p", 10), candidate("q", 10))
	moved := candidate("p", 10)
	moved.Consent.Explicit, moved.Subject.Customer, moved.Subject.Jurisdictions = No, Yes, "GB"
	_, refused := recheck(t, g, q, decided, moved, candidate("q", 10))
	if len(refused) != 1 || refused[0].ProfileID != "p" || refused[0].Reasons[0] != TermsHaveChanged {
		t.Errorf("%+v", refused)
	}
}

// drop_fields and set may be said by several rules; anything else that is said twice
// otherwise, or is of no sense, is no answer.
func TestObligationsOfSeveralRules(t *testing.T) {
	for name, x := range map[string]struct {
		rules string
		want  map[string]string
	}{
		"united": {"due contains {\"name\": \"drop_fields\", \"value\": \"b, a\"}\n\ndue contains {\"name\": \"drop_fields\", \"value\": \"a,c\"}\n\n" +
			"due contains {\"name\": \"set\", \"value\": \"y=2\"}\n\ndue contains {\"name\": \"set\", \"value\": \"x=1=1\"}", map[string]string{DropFields: "a,b,c", SetField: "x=1=1\ny=2"}},
		"two values of a field": {`due := {{"name": "set", "value": "x=1"}, {"name": "set", "value": "x=2"}}`, nil},
		"no field":              {`due := {{"name": "set", "value": "granted"}}`, nil},
		"an empty name":         {`due := {{"name": "drop_fields", "value": "a,,b"}}`, nil},
		"no for a yes":          {`due := {{"name": "partition_by_class", "value": "no"}}`, nil},
		"two lines":             {`due := {{"name": "set", "value": "x=1\ny=2"}}`, nil},
	} {
		in, _ := policyInput(question(), candidate("p", 10))
		v, err := obliging(t, x.rules).Evaluate(t.Context(), in)
		if err != nil || !maps.Equal(v.Obligations, x.want) || (x.want == nil) != (v.Fault != "") || v.Allow != (x.want != nil) {
			t.Errorf("%s: %+v %v", name, v, err)
		}
	}
}

func policyInput(q Question, c Candidate) (Input, Candidate) {
	in := q.fixed()
	in.Subject, in.Consent = c.Subject, c.Consent
	return in, c
}

// What is told beforehand is told of the question: a rule about another destination is
// none of this one's.
func TestObligationsAreToldBeforehand(t *testing.T) {
	google := question()
	google.Destination.Google = true
	for name, x := range map[string]struct {
		rules string
		q     Question
		want  []string
		all   bool
	}{
		"none":              {"due := set()", question(), nil, true},
		"by the subject":    {`due contains {"name": "set", "value": "a=b"} if input.subject.customer == "yes"`, question(), []string{"set"}, true},
		"another's":         {`due contains {"name": "partition_by_class", "value": "yes"} if input.destination.google == "yes"`, question(), nil, true},
		"this one's":        {`due contains {"name": "partition_by_class", "value": "yes"} if input.destination.google == "yes"`, google, []string{"partition_by_class"}, true},
		"through a rule":    {"due contains o if some o in more\n\nmore := {{\"name\": \"blur\", \"value\": \"5\"}} if {\n\tinput.consent.proof == \"yes\"\n} else := set()", question(), []string{"blur"}, true},
		"of a name made up": {`due contains {"name": concat("_", ["a", input.subject.customer]), "value": "1"}`, question(), nil, false},
	} {
		names, all := obliging(t, x.rules).MayOblige(t.Context(), x.q)
		if !slices.Equal(names, x.want) || all != x.all {
			t.Errorf("%s: %v %v, want %v %v", name, names, all, x.want, x.all)
		}
	}
}
