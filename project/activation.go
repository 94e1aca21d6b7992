package project

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"go.yaml.in/yaml/v3"
)

var purposeForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)

func (l *loader) destination(r *reader, name string, root *yaml.Node) {
	d := Destination{Name: name, At: r.at(root)}
	var config, privacy *yaml.Node
	p := &d.Privacy
	r.object(root, keys{
		"connector": r.text(&d.Connector),
		"config":    func(n *yaml.Node) { config = n; d.Config, _ = r.value(n).(map[string]any) },
		"privacy": func(n *yaml.Node) {
			privacy = n
			r.object(n, keys{
				"role": r.oneOf(&p.Role, "processor", "controller", "joint_controller", "third_party"), "kind": r.text(&p.Kind),
				"transfer": r.oneOf(&p.Transfer, "none", "sale", "share"), "country": r.text(&p.Country), "mechanism": r.text(&p.Mechanism),
				"dpa": r.boolean(&p.DPA), "purposes": r.texts(&p.Purposes),
				"tcf_vendor": r.integer(&p.TCFVendor, 0), "google": r.boolean(&p.Google),
			})
		},
	})
	l.noteKeys(r, "destination "+name, root)
	if c, ok := l.connector(r, root, d.Connector, func(c connectors.Connector) bool { return c.OpenDestination != nil }, "be written to"); ok {
		l.settings(r, orElse(config, root), c.Config, d.Config)
	}
	if privacy == nil {
		r.lacks("privacy", root, "add privacy: {role: processor, kind: esp, transfer: none, country: FR, dpa: true, purposes: [marketing.newsletter]}",
			"destination %s does not say what the law asks of it", name)
	}
	if p.Kind == "ads_match" { // uploading a list so that a network finds people is sharing, whatever the contract says (11 CCR 7050)
		p.Transfer = "share"
	}
	if p.Kind == "customer_match" { // so does Google's
		p.Transfer, p.Google = "share", true
	}
	l.p.Destinations = append(l.p.Destinations, d)
}

func (l *loader) activation(r *reader, name string, root *yaml.Node) {
	a := weir.ActivationDef{Name: name}
	var mode string
	r.object(root, keys{
		"segment": r.text(&a.Segment), "destination": r.text(&a.Destination),
		"purpose": func(n *yaml.Node) {
			r.text(&a.Purpose)(n)
			if !purposeForm.MatchString(a.Purpose) {
				r.problem(n, "write it like marketing.newsletter", "a purpose that can't be read: %q", a.Purpose)
			}
		},
		"channel": r.text(&a.Channel),
		"mode":    r.oneOf(&mode, string(weir.Mirror), string(weir.Upsert), string(weir.AppendOnly)),
		"key":     r.text(&a.Key), "fields": r.textMap(&a.Fields),
		"categories": r.texts(&a.Categories),
		"effect":     r.oneOf(&a.Effect, "none", "significant"), "human_review": r.boolean(&a.HumanReview),
		"suppress": r.texts(&a.Suppress), "waterfall": r.text(&a.Waterfall),
		"pressure": r.oneOf(&a.Pressure, weir.PressureHeld, weir.PressureCounted, weir.PressureExempt),
		"optout_link": func(n *yaml.Node) {
			if r.text(&a.OptOutLink)(n); a.OptOutLink != "" {
				r.optOutLink(n, a.OptOutLink)
			}
		},
	})
	if _, taken := a.Fields["optout_link"]; taken && a.OptOutLink != "" {
		r.problem(root, "name the field otherwise", "activation %s fills the field optout_link twice", name)
	}
	a.Mode = weir.Mode(mode)
	for _, need := range []struct{ key, value, example string }{
		{"segment", a.Segment, "segment: lapsed_vip"}, {"destination", a.Destination, "destination: newsletter"},
		{"purpose", a.Purpose, "purpose: marketing.newsletter"}, {"channel", a.Channel, "channel: email"},
		{"mode", mode, "mode: mirror"}, {"key", a.Key, "key: email"},
	} {
		if need.value == "" {
			r.lacks(need.key, root, "add "+need.example, "activation %s has no %s", name, need.key)
		}
	}
	l.noteKeys(r, "activation "+name, root)
	l.p.Activations = append(l.p.Activations, a)
}

var linkPart = regexp.MustCompile(`\{[^{}]*\}`)

// optOutLink checks the template of an opt-out link.
func (r *reader) optOutLink(n *yaml.Node, text string) {
	filled := linkPart.ReplaceAllStringFunc(text, func(part string) string {
		switch part {
		case "{key}", "{profile_id}", "{activation}", "{purpose}", "{channel}":
			return "x"
		}
		r.problem(n, "use {key}, {profile_id}, {activation}, {purpose} or {channel}", "the opt-out link has an unknown part %s", part)
		return "x"
	})
	if u, err := url.Parse(filled); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.ContainsAny(filled, "{}") {
		r.problem(n, `write optout_link: "https://example.org/leave?address={key}"`, "the opt-out link is no address: %q", text)
	}
}

// noteKeys remembers where something and each key below it was declared, for
// problems found later: "activation x", "activation x fields.email".
func (l *loader) noteKeys(r *reader, thing string, n *yaml.Node) {
	l.note(thing, r.at(n))
	var walk func(prefix string, n *yaml.Node)
	walk = func(prefix string, n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			path := prefix + n.Content[i].Value
			l.note(thing+" "+path, r.at(n.Content[i+1]))
			walk(path+".", n.Content[i+1])
		}
	}
	walk("", n)
}

func (l *loader) note(thing, at string) {
	if l.p.places == nil {
		l.p.places = map[string]string{}
	}
	l.p.places[thing] = at
}
