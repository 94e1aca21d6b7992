package stages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/consents"
)

// compose makes the row that an activation would send of a person, and the
// addresses that a grant has to reach; false without a key.
func compose(a weir.ActivationDef, p *person) (weir.AudienceRow, []consents.Address, bool) {
	key := textOf(p.value(a.Key))
	if key == "" {
		return weir.AudienceRow{}, nil, false
	}
	fields := make(map[string]any, len(a.Fields))
	sent := map[consents.Address]bool{}
	for name, ref := range a.Fields {
		v := p.value(ref)
		if v == nil {
			continue
		}
		fields[name] = v
		if weir.IsAddress(ref) || strings.Contains(textOf(v), "@") { // also in an attribute that is named otherwise
			sent[consents.Address{Kind: ref, Value: textOf(v)}] = true
		}
	}
	if weir.IsAddress(a.Key) || strings.Contains(key, "@") || len(sent) == 0 {
		sent[consents.Address{Kind: a.Key, Value: key}] = true
	}
	addresses := slices.SortedFunc(maps.Keys(sent), func(x, y consents.Address) int {
		return strings.Compare(x.Kind+"\x00"+x.Value, y.Kind+"\x00"+y.Value)
	})
	text, err := json.Marshal(fields) // keys sorted
	if err != nil {
		return weir.AudienceRow{}, nil, false
	}
	sum := sha256.Sum256(text)
	row := weir.AudienceRow{Activation: a.Name, ProfileID: p.profile, Key: key, Fields: string(text), Checksum: hex.EncodeToString(sum[:12])}
	return row.Digested(), addresses, true
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
