package stages

import (
	"regexp"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/project"
)

// reasonWords say in a sentence why a value links nobody.
var reasonWords = map[evidence.Reason]string{
	evidence.Placeholder:   "a placeholder",
	evidence.Zeros:         "only zeros",
	evidence.Repeated:      "a phone of one digit, or counting up or down",
	evidence.SharedMailbox: "a shared mailbox",
	evidence.FreeMail:      "a domain of which everybody can have a mailbox",
}

// worthless says why an identifier's value is blocked, "" if it is not.
func worthless(p *project.Project, kind, value string) string {
	for _, def := range p.Identity {
		for _, pattern := range def.Identifiers[kind].Blocked {
			if re, err := regexp.Compile("(?i)" + pattern); err == nil && re.MatchString(value) {
				return "blocked in identity.yaml"
			}
		}
		if _, declared := def.Identifiers[kind]; declared {
			if words := reasonWords[evidence.Worthless(def.Kind, kind, value)]; words != "" {
				return words
			}
		}
	}
	return ""
}

// sharedBy is on how many profiles at most a value links.
func sharedBy(p *project.Project, kind string) int {
	most := 0
	for _, def := range p.Identity {
		if rule, declared := def.Identifiers[kind]; declared {
			n := rule.SharedBy
			if n == 0 {
				n = evidence.DefaultSharedBy
			}
			most = max(most, n)
		}
	}
	if most == 0 {
		return evidence.DefaultSharedBy
	}
	return most
}

// rulesOn names the rules that match by an identifier.
func rulesOn(p *project.Project, kind string) []string {
	var out []string
	for _, def := range p.Identity {
		if rule, declared := def.Identifiers[kind]; declared && !rule.NoLink {
			out = append(out, evidence.SamePrefix+kind)
		}
		for _, r := range def.Rules {
			if slices.Contains(r.Match, kind) {
				out = append(out, r.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sortHubs parts the values on several profiles by why they are there.
func (r *IdentityReport) sortHubs(p *project.Project, found []Hub, top int) {
	for _, h := range found {
		into := &r.Shared
		if h.Why = worthless(p, h.Kind, h.Value); h.Why != "" {
			into = &r.Worthless
		} else if h.Profiles > int64(sharedBy(p, h.Kind)) {
			into = &r.Hubs
		}
		if len(*into) < top {
			*into = append(*into, h)
		}
	}
}
