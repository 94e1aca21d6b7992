package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// caseFields are what a case may say, by part.
var caseFields = map[string][]string{
	"case":  {"case", "title", "subject", "consent", "consents", "later", "activation", "controller", "destination", "gate", "without", "want", "basis", "reasons", "obligations"},
	"entry": {"action", "purpose", "channel", "days_ago", "minutes_ago", "actor", "method", "signal", "proof", "explicit", "for", "expires_in_days"},
	"subject": {"age_band", "customer", "erasure", "gpc", "inactive_days", "jurisdictions", "limit_sensitive", "objected", "opt_out_offered",
		"opted_out", "opted_out_ads", "opted_out_days", "opted_out_profiling", "restricted", "suppressed", "suppressed_elsewhere"},
	"consent":     {"age_days", "device_storage", "explicit", "google", "guardian", "proof", "status", "tcf"},
	"activation":  {"categories", "channel", "device", "effect", "human_review", "purpose"},
	"controller":  {"charity", "minors"},
	"destination": {"country", "dpa", "google", "kind", "mechanism", "purposes", "role", "tcf", "transfer"},
}

var caseActions = []string{string(weir.Granted), string(weir.RefusedConsent), string(weir.Withdrawn), string(weir.Objected), string(weir.OptedOut),
	string(weir.Signal), string(weir.Restricted), string(weir.ErasureRequested), string(weir.Unrestricted),
	string(weir.OptedOutAds), string(weir.OptedOutProfiles), string(weir.LimitSensitive), string(weir.Suppressed)}

// unmarked is what a case need not say: a grown-up of whom nothing bad is known,
// and a destination in order. The jurisdiction is unknown until it is said.
func unmarked() map[string]map[string]any {
	return map[string]map[string]any{
		"subject": {"age_band": "adult", "customer": "no", "erasure": "none", "gpc": "no", "inactive_days": 1, "jurisdictions": []any{"unknown"},
			"limit_sensitive": "no", "objected": "no", "opt_out_offered": "no", "opted_out": "no", "opted_out_ads": "no", "opted_out_days": "unknown",
			"opted_out_profiling": "no", "regimes": []any{}, "restricted": "no", "suppressed": "no", "suppressed_elsewhere": "no"},
		"consent":     {"age_days": "unknown", "device_storage": "no", "explicit": "no", "google": "missing", "guardian": "no", "proof": "no", "status": "none", "tcf": "missing"},
		"activation":  {"categories": []any{}, "channel": "unknown", "device": "no", "effect": "none", "human_review": "no", "purpose": "unknown"},
		"controller":  {"charity": "no", "minors": "no"},
		"destination": {"country": "FR", "dpa": "yes", "google": "no", "kind": "esp", "mechanism": "adequacy", "purposes": nil, "role": "processor", "tcf": "no", "transfer": "none"},
	}
}

// caseReader gathers a file's problems, so that an officer sees all at once.
type caseReader struct {
	file     string
	vocab    *vocabulary
	problems []error
}

func parseCaseFile(p string, b []byte, vocab *vocabulary) ([]Case, error) {
	root, err := document(p, b)
	if err != nil {
		return nil, err
	}
	r := &caseReader{file: p, vocab: vocab}
	if len(root.Content) == 0 {
		return nil, nil
	}
	if err := noAliases(p, root); err != nil {
		return nil, err
	}
	list := root.Content[0]
	if list.Kind != yaml.SequenceNode {
		return nil, weir.Errorf(weir.Invalid, "a case file is a list of cases").At(at(p, list.Line)).Then("start each case with `- case: <name>`")
	}
	var out []Case
	for _, n := range list.Content {
		before := len(r.problems)
		if c := r.one(n); len(r.problems) == before {
			out = append(out, c)
		}
	}
	return out, errors.Join(r.problems...)
}

func (r *caseReader) fail(n *yaml.Node, next string, format string, args ...any) {
	r.problems = append(r.problems, weir.Errorf(weir.Invalid, format, args...).At(at(r.file, n.Line)).Then(next))
}

// fields walks a mapping whose keys must be known.
func (r *caseReader) fields(n *yaml.Node, part string, visit func(key string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "write it as {name: value, …}", "%s is not a mapping", part)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(caseFields[part], k.Value):
			r.fail(k, nearest(k.Value, caseFields[part]), "%q is not a field of a case's %s", k.Value, part)
		case seen[k.Value]:
			r.fail(k, "keep one", "%q stands twice", k.Value)
		default:
			visit(k.Value, v)
		}
		seen[k.Value] = true
	}
}

func (r *caseReader) one(n *yaml.Node) Case {
	c := Case{File: r.file, Line: n.Line}
	facts := unmarked()
	var consent, entries *yaml.Node
	wanted, purpose := false, n
	places := map[string]*yaml.Node{}
	r.fields(n, "case", func(key string, v *yaml.Node) {
		switch key {
		case "case":
			c.Name = v.Value
		case "title":
			c.Title = v.Value
		case "want":
			c.want, wanted = r.among(v, "allow", "deny"), true
		case "basis":
			c.basis = v.Value
		case "reasons":
			c.reasons, c.reasonsLine = r.texts(v), v.Line
			slices.Sort(c.reasons)
		case "obligations":
			c.obligations = map[string]string{}
			if v.Kind != yaml.MappingNode {
				r.fail(v, "write it as {partition_by_class: yes}", "obligations is not a mapping")
				return
			}
			for i := 0; i+1 < len(v.Content); i += 2 {
				c.obligations[v.Content[i].Value] = v.Content[i+1].Value
			}
		case "without":
			for _, path := range r.texts(v) {
				part, field, _ := strings.Cut(path, ".")
				if part == "case" || part == "entry" || !slices.Contains(append(slices.Clone(caseFields[part]), "regimes"), field) {
					r.fail(v, "name it as subject.restricted", "%q is no field of the input", path)
				}
				c.without = append(c.without, path)
			}
		case "consents":
			entries = v
			c.consents = r.entries(v)
		case "later":
			c.later = r.entries(v)
		case "gate":
			c.gate = r.among(v, gateUnsigned, gateFailing)
		default:
			if key == "consent" {
				consent = v
			}
			r.fields(v, key, func(field string, value *yaml.Node) {
				if key == "activation" && field == "purpose" {
					purpose = value
				}
				facts[key][field], places[key+"."+field] = r.value(value), value
			})
		}
	})
	if c.Name == "" || !wanted {
		r.fail(n, "add it", "a case needs a name (`case`) and what you `want`")
	}
	r.finish(&c, facts, purpose, places)
	if c.later != nil && entries == nil {
		r.fail(n, "add consents: […]", "entries that arrive `later` need `consents` before them")
	}
	if consent != nil && entries != nil {
		r.fail(entries, "keep one of them", "a case says either `consent` or `consents`")
	}
	return c
}

// finish checks the facts, each at its place, and makes a case's input of them.
func (r *caseReader) finish(c *Case, facts map[string]map[string]any, purpose *yaml.Node, places map[string]*yaml.Node) {
	asked, _ := facts["activation"]["purpose"].(string)
	if !slices.Contains(r.vocab.purposes, asked) && !slices.Contains(c.reasons, "unknown_purpose") {
		r.fail(purpose, nearest(asked, r.vocab.purposes), "the policy does not know the purpose %q", asked)
	}
	if facts["destination"]["purposes"] == nil {
		facts["destination"]["purposes"] = []any{asked}
	}
	for part, fields := range facts {
		for field, value := range fields {
			single, err := json.Marshal(map[string]map[string]any{part: {field: value}})
			if err == nil {
				err = json.Unmarshal(single, &c.input)
			}
			var kind *json.UnmarshalTypeError
			switch n := places[part+"."+field]; {
			case err == nil:
			case !errors.As(err, &kind):
				r.fail(n, "see schemas/input.schema.json", "%s.%s can't be %v: %w", part, field, value, err)
			case n.Kind == yaml.SequenceNode:
				r.fail(n, "write one word or number, without brackets", "%s.%s is no list", part, field)
			case kind.Type.Kind() == reflect.Slice:
				r.fail(n, fmt.Sprintf("write [%v]", value), "%s.%s is a list", part, field)
			default:
				r.fail(n, "see schemas/input.schema.json", "%s.%s can't be %v", part, field, value)
			}
		}
	}
}

func (r *caseReader) entries(n *yaml.Node) []caseEntry {
	out := []caseEntry{}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "start each entry with `- {action: …`", "consents is not a list")
		return out
	}
	for _, m := range n.Content {
		e := caseEntry{forAddress: "this"}
		var ago *yaml.Node
		acted := false
		r.fields(m, "entry", func(key string, v *yaml.Node) {
			switch key {
			case "action":
				e.action, acted = r.among(v, caseActions...), true
			case "purpose":
				e.purpose = v.Value
			case "channel":
				e.channel = v.Value
			case "proof":
				e.proof = v.Value
			case "for":
				e.forAddress = r.among(v, sorted(caseAddresses)...)
			case "explicit":
				e.explicit = r.among(v, "yes", "no", "true", "false") == "yes" || v.Value == "true"
			case "minutes_ago":
				e.minutesAgo = r.number(v)
			case "actor":
				e.actor = r.among(v, "subject", "guardian", "agent", "officer")
			case "method":
				e.method = v.Value
			case "signal":
				e.signal = v.Value
			case "days_ago":
				ago = v
			case "expires_in_days":
				days := r.number(v)
				e.expiresInDays = &days
			}
		})
		if !acted {
			r.fail(m, "add it", "an entry needs an action")
		}
		if ago != nil {
			e.daysAgo = r.daysAgo(ago, e.purpose)
		}
		out = append(out, e)
	}
	return out
}

// daysAgo is a number, or the last day on which consent to the purpose holds, or the
// day after it: such a case stays right when the officer changes the number.
func (r *caseReader) daysAgo(n *yaml.Node, purpose string) int {
	past, ok := map[string]int{"limit": 0, "limit + 1": 1}[n.Value]
	if !ok {
		return r.number(n)
	}
	days, known := r.vocab.limits[purpose]
	if !known && !r.vocab.unsure { // what is wrong with data/retention.yaml is told there
		r.fail(n, "write a number of days, or give the purpose a consent_max_age_days in data/retention.yaml", "consent to %q has no limit", purpose)
	}
	return days + past
}

// value reads a scalar or list as the input has it: yes and true are "yes".
func (r *caseReader) value(n *yaml.Node) any {
	if n.Kind == yaml.SequenceNode {
		list := []any{}
		for _, t := range r.texts(n) {
			list = append(list, t)
		}
		return list
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		r.fail(n, "write a word, a number or a list", "this is no value of a fact")
		return nil
	case n.Tag == "!!bool":
		return FactOf(n.Value == "true").String()
	case n.Tag == "!!int":
		return r.number(n)
	}
	return n.Value
}

func (r *caseReader) texts(n *yaml.Node) []string {
	out := []string{}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "write it as [a, b]", "this is not a list")
		return out
	}
	for _, i := range n.Content {
		if i.Kind != yaml.ScalarNode {
			r.fail(i, "write words", "the list holds more than words")
			continue
		}
		out = append(out, i.Value)
	}
	return out
}

func (r *caseReader) number(n *yaml.Node) int {
	var i int
	if err := n.Decode(&i); err != nil {
		r.fail(n, "write a whole number", "%q is not a number of days", n.Value)
	}
	return i
}

func (r *caseReader) among(n *yaml.Node, words ...string) string {
	if n.Kind != yaml.ScalarNode || !slices.Contains(words, n.Value) {
		r.fail(n, nearest(n.Value, words), "%q is none of %s", n.Value, strings.Join(words, ", "))
		return ""
	}
	return n.Value
}

// nearest suggests the known name that is most like what was written.
func nearest(written string, known []string) string {
	best, distance := "", len(written)/2+2
	for _, k := range known {
		if d := levenshtein.ComputeDistance(written, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return "use one of " + strings.Join(known, ", ")
	}
	return "did you mean " + best + "?"
}
