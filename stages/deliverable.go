package stages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// Undelivered is a mistake by which the policy would deny every row of some
// activations: with it a run would remove everybody from their destinations, each
// removal as decided.
type Undelivered struct {
	Part string // "activation x", "project"
	project.Problem
}

// Undeliverable finds such mistakes, in the order of the activations: a purpose that
// the policy does not know, and a project that does not say where the gate finds
// people's jurisdiction. An empty list, `jurisdiction: []`, says that nothing does,
// for policies that don't ask.
func Undeliverable(p *project.Project, purposes []string) []Undelivered {
	var out []Undelivered
	for _, a := range p.Activations {
		if slices.Contains(purposes, a.Purpose) {
			continue
		}
		next := "use one of: " + strings.Join(purposes, ", ")
		if near := connectors.Nearest(a.Purpose, purposes); near != "" {
			next = "did you mean " + near + "?"
		}
		out = append(out, Undelivered{"activation " + a.Name, project.Problem{Where: orElse(p.Place("activation "+a.Name, "purpose"), "activations/"+a.Name+".yaml"),
			Message: fmt.Sprintf("the policy knows no purpose %q, so every row would be denied", a.Purpose), Next: next}})
	}
	if len(p.Activations) > 0 && p.Subject.Jurisdiction == nil {
		out = append(out, Undelivered{"project", project.Problem{Where: orElse(p.Place("weir.yaml", "subject"), "weir.yaml"),
			Message: "subject.jurisdiction is not said, so the gate can't know whose law applies, and every row would be denied (D01)",
			Next:    "add subject: {jurisdiction: [attribute.country, consent.jurisdiction]}, or an empty list if the policy doesn't ask"}})
	}
	return out
}

// Unobliging finds activations to whose rows the policy may attach an obligation that
// neither their destination nor anybody else would carry out: such rows are denied. It
// opens destinations, and asks none; one that can't be opened is no finding here.
func (h *House) Unobliging(ctx context.Context, p *project.Project, gate *policies.Gate) []Undelivered {
	var out []Undelivered
	questions := h.questions(p, weir.Run{})
	for _, a := range p.Activations {
		q, err := questions.of(ctx, gate, a)
		if err != nil {
			continue
		}
		names, _ := gate.MayOblige(ctx, q)
		due := map[string]string{}
		for _, n := range names {
			due[n] = ""
		}
		for _, name := range q.Unmet(due) {
			next := "send it to a destination that carries it out, or change the policy's rules"
			switch {
			case name == policies.IncludeOptOutLink && a.OptOutLink == "":
				next = `add optout_link: "https://example.org/leave?address={key}" to the activation`
			case name == policies.IncludeOptOutLink && q.Carrier.Sends != nil:
				next = "name .Fields." + policies.OptOutLinkField + " in the destination's template"
			}
			out = append(out, Undelivered{"activation " + a.Name, project.Problem{Where: orElse(p.Place("activation "+a.Name, "destination"), "activations/"+a.Name+".yaml"),
				Message: fmt.Sprintf("the policy may allow rows only with the obligation %s, which destination %s does not carry out, so such rows are denied (%s)", name, a.Destination, policies.UnmetObligation),
				Next:    next}})
		}
	}
	return out
}
