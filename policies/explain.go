package policies

import (
	"context"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Rule is a labelled rule as its METADATA describes it, for officers and for
// whoever asks why.
type Rule struct {
	Code        string // D06, B2, no_basis
	Name        string // withdrawn
	Title       string
	Description string
	Law         string
	Links       []string
	Remedy      string
	Owner       string
	ReviewBy    string // date
	At          string // file:line
}

// rulesOf reads the METADATA of all labelled rules, sorted by code.
func rulesOf(c *ast.Compiler) []Rule {
	var out []Rule
	set := c.GetAnnotationSet()
	if set == nil {
		return nil
	}
	for _, ref := range set.Flatten() {
		a := ref.Annotations
		if a == nil || text(a.Labels, "code") == "" {
			continue
		}
		r := Rule{Code: text(a.Labels, "code"), Name: text(a.Labels, "name"), Law: text(a.Labels, "law"), Title: a.Title,
			Description: strings.TrimSpace(a.Description), Remedy: text(a.Custom, "remedy"), Owner: text(a.Custom, "owner"), ReviewBy: text(a.Custom, "review_by")}
		if ref.Location != nil {
			r.At = at(ref.Location.File, ref.Location.Row)
		}
		for _, link := range a.RelatedResources {
			r.Links = append(r.Links, link.Ref.String())
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Rule) int {
		return strings.Compare(a.Code+" "+a.At, b.Code+" "+b.At)
	})
	return out
}

func text(m map[string]any, key string) string { s, _ := m[key].(string); return s }

// Rules lists the policy's labelled rules, sorted by code.
func (g *Gate) Rules() []Rule { return slices.Clone(g.rules) }

// Rule finds a rule by its code. A code that the policy does not describe gives
// a rule that says so.
func (g *Gate) Rule(code string) Rule {
	for _, r := range g.rules {
		if r.Code == code {
			return r
		}
	}
	if code == EvaluationError {
		return Rule{Code: code, Name: "evaluation_error", Title: "The policy gave no usable answer", Law: "fail closed",
			Description: "The policy failed, took too long, or answered in a form that the gate does not know. Nothing is sent on such an answer.",
			Remedy:      "Run weir policy check and weir policy test; the fault is in the log of the decide stage."}
	}
	if code == Untrusted {
		return Rule{Code: code, Name: "policy_stale_or_unsigned", Title: "The policy may not rule", Law: "fail closed",
			Description: "The policy's revision does not carry the signatures that it needs, or is older than it may be. Nothing is sent on its word.",
			Remedy:      "Publish a revision and have it approved: weir policy publish, weir policy approve."}
	}
	return Rule{Code: code, Name: code, Title: "The policy does not describe this reason"}
}

// Explanation is a verdict in words.
type Explanation struct {
	Verdict  Verdict
	Basis    *Rule  // nil when denied
	Reasons  []Rule // empty when allowed
	Revision string
}

// Explain asks the policy one question and says why it answers so.
func (g *Gate) Explain(ctx context.Context, in Input) (Explanation, error) {
	v, err := g.Evaluate(ctx, in)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Verdict: v, Revision: g.revision}
	for _, code := range v.Reasons {
		e.Reasons = append(e.Reasons, g.Rule(code))
	}
	for _, r := range g.rules {
		if v.Allow && r.Name == v.Basis && slices.Contains(v.Rules, r.Code) {
			e.Basis = &r
			break
		}
	}
	return e, nil
}
