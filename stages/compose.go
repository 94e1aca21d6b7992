package stages

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/consents"
)

// compose makes the row that an activation would send of a person, and the
// addresses that a grant has to reach; false without a key.
func compose(a weir.ActivationDef, p *person) (weir.AudienceRow, []consents.Address, bool) {
	key, addresses := reaches(a, p)
	if key == "" {
		return weir.AudienceRow{}, nil, false
	}
	fields := make(map[string]any, len(a.Fields))
	for name, ref := range a.Fields {
		if v := p.value(ref); v != nil {
			fields[name] = v
		}
	}
	text, err := json.Marshal(fields) // keys sorted
	if err != nil {
		return weir.AudienceRow{}, nil, false
	}
	sum := sha256.Sum256(text)
	row := weir.AudienceRow{Activation: a.Name, ProfileID: p.profile, Key: key, Fields: string(text), Checksum: hex.EncodeToString(sum[:12])}
	return row.Digested(), addresses, true
}

// reaches is the key under which an activation would send a person ("": none), and the
// addresses that a grant has to reach, sorted.
func reaches(a weir.ActivationDef, p *person) (key string, sent []consents.Address) {
	if key = textOf(p.value(a.Key)); key == "" {
		return "", nil
	}
	add := func(ref, value string) {
		if at := (consents.Address{Kind: ref, Value: value}); !slices.Contains(sent, at) {
			sent = append(sent, at)
		}
	}
	for _, ref := range a.Fields {
		v := p.value(ref)
		if v == nil {
			continue
		}
		if text := textOf(v); weir.IsAddress(ref) || strings.Contains(text, "@") { // also in an attribute that is named otherwise
			add(ref, text)
		}
	}
	if weir.IsAddress(a.Key) || strings.Contains(key, "@") || len(sent) == 0 {
		add(a.Key, key)
	}
	slices.SortFunc(sent, func(x, y consents.Address) int {
		return cmp.Or(strings.Compare(x.Kind, y.Kind), strings.Compare(x.Value, y.Value))
	})
	return key, sent
}

// value is an attribute, a trait or, where there is no such attribute, the first
// identifier of a kind; nil if the person has none.
func (p *person) value(ref string) any {
	if v := p.values[ref]; v != nil && v != "" {
		return v
	}
	if ids := p.identifiers[ref]; len(ids) > 0 {
		return "=" + ids[0]
	}
	return nil
}

// textOf is the canonical text of a marked value.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return ""
		}
		return v[1:] // the mark
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// plain gives all values as canonical texts.
func plain(values map[string]any) map[string]string {
	out := make(map[string]string, len(values))
	for k, v := range values {
		if s := textOf(v); s != "" {
			out[k] = s
		}
	}
	return out
}
