package stages

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/project"
)

// policyRulesPrefix is where the unsigned rules of applied projects are, by digest.
const policyRulesPrefix = "policy/rules/"

// withRules puts a project's unsigned rules into the store and names them in the
// definitions: every worker then decides by the rules that were applied, not by those
// of the folder that it happens to have.
func (h *House) withRules(ctx context.Context, p *project.Project) (*project.Project, error) {
	if h.Rules == nil || !p.Policies || len(p.Signers) > 0 {
		return p, nil
	}
	b, err := h.Rules(p)
	if err != nil {
		return nil, err
	}
	named := *p
	named.PolicyRules = revisions.Digest(b)
	_, err = h.store().PutIfAbsent(ctx, policyRulesPrefix+named.PolicyRules+".zip", b)
	return &named, err
}

// unsigned is the gate of rules that nobody signed: those that were applied with the
// project, or those of its folder.
func (h *House) unsigned(ctx context.Context, p *project.Project) (*policies.Gate, error) {
	if p.PolicyRules == "" {
		return h.Gate(ctx, p)
	}
	key := policyRulesPrefix + p.PolicyRules + ".zip"
	b, err := h.store().ReadFile(ctx, key)
	if err == nil && revisions.Digest(b) != p.PolicyRules || weir.CodeOf(err) == weir.NotFound {
		return nil, weir.Errorf(weir.Denied, "the rules are not those that were applied").At(key).
			Then("find out who changed them, delete the object, and apply the project anew: weir apply")
	}
	if err != nil {
		return nil, err
	}
	return policies.LoadPacked(ctx, b, "policies", policies.Options{})
}
