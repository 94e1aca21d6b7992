package policies

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

// The obligations that the gate knows. The first two are carried out on the rows
// before any destination sees them; the others by a destination that says it can. Of
// any other name the destination must say so too: nobody else can.
const (
	// DropFields, "first_name,ltv": these fields go empty, so that what was sent of
	// them before is cleared.
	DropFields = "drop_fields"
	// SetField, "consent=granted": a field of this value goes with the row. There may
	// be several.
	SetField = "set"
	// PartitionByClass, "yes": what is written together is of one consent class.
	PartitionByClass = permit.PartitionByClass
	// IncludeOptOutLink, "yes": the row carries the activation's opt-out link.
	IncludeOptOutLink = permit.IncludeOptOutLink
)

// OptOutLinkField is the field that carries the link.
const OptOutLinkField = permit.OptOutLinkField

// Carrier is what a destination carries out. The zero value carries out nothing
// itself, and sends all fields.
type Carrier struct {
	Obligations []string // connectors.Capabilities
	// Sends says whether a field of this name gets out; nil: any does.
	Sends func(field string) bool
}

func (c Carrier) sends(field string) bool { return c.Sends == nil || c.Sends(field) }

// duty adds an obligation to those of its name: drop_fields and set may be said
// several times, others have one value.
func duty(name, was string, double bool, text string) (string, error) {
	switch name {
	case DropFields:
		fields := strings.Split(text, ",")
		for i, f := range fields {
			if fields[i] = strings.TrimSpace(f); fields[i] == "" {
				return "", fmt.Errorf("the obligation drop_fields names no field")
			}
		}
		return united(was, ",", fields), nil
	case SetField:
		field, value, ok := strings.Cut(text, "=")
		if !ok || field == "" || strings.Contains(text, "\n") {
			return "", fmt.Errorf("the obligation set is not of the form field=value")
		}
		if other, said := assignments(was)[field]; said && other != value {
			return "", fmt.Errorf("the obligation set has two values of %q", field)
		}
		return united(was, "\n", []string{text}), nil
	case PartitionByClass, IncludeOptOutLink:
		if text != "yes" {
			return "", fmt.Errorf("the obligation %q has another value than yes", name)
		}
	}
	if double && was != text {
		return "", fmt.Errorf("the obligation %q has two values", name)
	}
	return text, nil
}

func united(was, sep string, more []string) string {
	if was != "" {
		more = append(strings.Split(was, sep), more...)
	}
	slices.Sort(more)
	return strings.Join(slices.Compact(more), sep)
}

// assignments reads what duty joined.
func assignments(text string) map[string]string {
	out := map[string]string{}
	if text == "" {
		return out
	}
	for line := range strings.SplitSeq(text, "\n") {
		field, value, _ := strings.Cut(line, "=")
		out[field] = value
	}
	return out
}

// Obliged are the fields that obligations demand of a row, by name: a text to send, or
// nil for a field to be sent empty. What is both dropped and set is set.
func Obliged(a weir.ActivationDef, obligations map[string]string, key, profile string) map[string]any {
	out := map[string]any{}
	if dropped := obligations[DropFields]; dropped != "" {
		for f := range strings.SplitSeq(dropped, ",") {
			if _, sent := a.Fields[f]; sent {
				out[f] = nil
			}
		}
	}
	for f, v := range assignments(obligations[SetField]) {
		out[f] = v
	}
	if _, due := obligations[IncludeOptOutLink]; due {
		out[OptOutLinkField] = optOutLink(a, key, profile)
	}
	return out
}

// optOutLink fills the activation's template; its values are escaped.
func optOutLink(a weir.ActivationDef, key, profile string) string {
	return strings.NewReplacer("{key}", url.QueryEscape(key), "{profile_id}", url.QueryEscape(profile), "{activation}", url.QueryEscape(a.Name),
		"{purpose}", url.QueryEscape(a.Purpose), "{channel}", url.QueryEscape(a.Channel)).Replace(a.OptOutLink)
}

// AtDestination are those obligations that only the destination can carry out. What
// it holds of a row changes with them, though no field does.
func AtDestination(obligations map[string]string) map[string]string {
	out := maps.Clone(obligations)
	for _, name := range []string{DropFields, SetField, IncludeOptOutLink} {
		delete(out, name)
	}
	return out
}

// Unmet lists the obligations that nobody would carry out for this question, sorted.
func (q Question) Unmet(obligations map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(obligations)) {
		met := slices.Contains(q.Carrier.Obligations, name)
		switch name {
		case DropFields:
			met = true
		case SetField:
			met = true
			for f := range assignments(obligations[name]) {
				met = met && q.Carrier.sends(f)
			}
		case IncludeOptOutLink:
			met = met && q.Activation.OptOutLink != "" && q.Carrier.sends(OptOutLinkField)
		}
		if !met {
			out = append(out, name)
		}
	}
	return out
}

// carried denies what is allowed only under obligations that nobody would carry out.
func (q Question) carried(v Verdict) Verdict {
	if !v.Allow || len(q.Unmet(v.Obligations)) == 0 {
		return v
	}
	return Verdict{Reasons: []string{UnmetObligation}, Rules: v.Rules}
}

// keeps says whether a row's fields are as the obligations demand.
func keeps(r *permit.Row, demanded map[string]any) bool {
	for name, want := range demanded {
		var is any
		if i := slices.IndexFunc(r.Fields, func(f permit.Field) bool { return f.Name == name }); i >= 0 {
			is = r.Fields[i].Value
		}
		if is != want {
			return false
		}
	}
	return true
}
