package policies

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Verdict is the policy's answer for one class. Its zero value denies.
type Verdict struct {
	Allow       bool
	Basis       string            // the legal basis; "" when denied
	Reasons     []string          // codes against it, sorted; empty when allowed
	Obligations map[string]string // what the destination has to carry out
	// Until gives, by day count ("consent.age_days"), the last value at which
	// the verdict holds.
	Until map[string]int
	Rules []string // codes of the labelled rules that held, sorted
	// Fault says what went wrong, with D31: a policy's defect, never a value.
	Fault string
}

// EvaluationError is the reason when the policy gave no usable answer.
const EvaluationError = "D31"

// Untrusted is the reason when the policy may not rule.
const Untrusted = "D32"

func failed(fault string) Verdict {
	return Verdict{Reasons: []string{EvaluationError}, Fault: fault}
}

// verdictOf reads the decision object. Anything but the exact shape denies:
// a half-understood answer is none.
func verdictOf(value any) Verdict {
	o, ok := value.(map[string]any)
	if !ok {
		return failed("the decision is not an object")
	}
	for k := range o {
		if !slices.Contains([]string{"allow", "basis", "reasons", "obligations", "valid_until"}, k) {
			return failed(fmt.Sprintf("the decision has a key %q that the gate does not know", k))
		}
	}
	var v Verdict
	var err error
	allow, isBool := o["allow"].(bool)
	basis, isText := o["basis"].(string)
	if !isBool || !isText {
		return failed("allow is not a boolean or basis is not a text")
	}
	if v.Reasons, err = codes(o["reasons"]); err != nil {
		return failed(err.Error())
	}
	if v.Obligations, err = obligations(o["obligations"]); err != nil {
		return failed(err.Error())
	}
	if v.Until, err = limits(o["valid_until"]); err != nil {
		return failed(err.Error())
	}
	switch {
	case allow && (basis == "" || len(v.Reasons) > 0):
		return failed("the decision allows without a basis, or against a reason")
	case !allow && len(v.Reasons) == 0:
		return failed("the decision denies without a reason")
	case allow:
		v.Allow, v.Basis = true, basis
	default:
		v.Obligations, v.Until = nil, nil
	}
	return v
}

// codes reads an array of {"code": text}.
func codes(value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("reasons is not a set of objects")
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		o, _ := e.(map[string]any)
		code, _ := o["code"].(string)
		if code == "" {
			return nil, fmt.Errorf("a reason has no code")
		}
		out = append(out, code)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// obligations reads an array of {"name": text, "value": text}.
func obligations(value any) (map[string]string, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("obligations is not a set of objects")
	}
	out := map[string]string{}
	for _, e := range list {
		o, _ := e.(map[string]any)
		name, _ := o["name"].(string)
		text, isText := o["value"].(string)
		if name == "" || !isText {
			return nil, fmt.Errorf("an obligation lacks a name or a text as its value")
		}
		was, double := out[name]
		all, err := duty(name, was, double, text)
		if err != nil {
			return nil, err
		}
		out[name] = all
	}
	return out, nil
}

// limits reads an object of day counts.
func limits(value any) (map[string]int, error) {
	o, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("valid_until is not an object")
	}
	out := map[string]int{}
	for k, n := range o {
		num, ok := n.(json.Number)
		if !ok || !slices.Contains(dayCounts, k) {
			return nil, fmt.Errorf("valid_until takes whole days by one of %s", strings.Join(dayCounts, ", "))
		}
		days, err := num.Int64()
		if err != nil || days < 0 || days > 1<<20 {
			return nil, fmt.Errorf("valid_until: %s is not a number of days", num)
		}
		out[k] = int(days)
	}
	return out, nil
}

// dayCounts are the input's numbers of days, as factTable has them.
var dayCounts = []string{"consent.age_days", "subject.inactive_days", "subject.opted_out_days"}

// labels gives the codes of the rules that held.
func labels(all []map[string]any) []string {
	var out []string
	for _, l := range all {
		if code, ok := l["code"].(string); ok {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// equal compares all that a verdict decides.
func (v Verdict) equal(o Verdict) bool {
	return v.Allow == o.Allow && v.Basis == o.Basis && slices.Equal(v.Reasons, o.Reasons) &&
		maps.Equal(v.Obligations, o.Obligations) && maps.Equal(v.Until, o.Until) && slices.Equal(v.Rules, o.Rules)
}
