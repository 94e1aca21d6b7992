package survivorship

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
)

// Golden makes a profile and its lineage from all its records, at least one.
//
// Identifiers are all values that any of its records holds, those that are
// shared or blocked for linking included: each is a true statement of a source.
// First and last seen are the oldest and newest observed_at that is known. The
// kind is that of the records; should they differ, the one most records have.
// Lineage is sorted by field.
func (r *Rules) Golden(profileID string, records []weir.Record) (weir.Profile, []weir.Lineage) {
	cs := candidates(records)
	p := weir.Profile{ID: profileID, Attributes: map[string]string{}, Identifiers: weir.Identifiers{}, Records: int64(len(cs))}
	p.Kind = KindOf(records)
	for _, c := range cs {
		for kind, values := range c.Identifiers {
			for _, v := range values {
				p.Identifiers.Add(kind, v)
			}
		}
		see(&p, c.ObservedAt)
	}
	var lineage []weir.Lineage
	take := func(field string, from *candidate, by string) {
		v := from.Attributes[field]
		if v == "" {
			return
		}
		p.Attributes[field] = v
		lineage = append(lineage, weir.Lineage{ProfileID: profileID, Field: field, ValueHash: r.hash(v),
			RecordID: from.ID, Rule: by, ObservedAt: from.ObservedAt})
	}
	for _, field := range fieldsOf(cs) {
		if !r.grouped[field] {
			from, by := choose(cs, []string{field}, r.of(field))
			take(field, from, by)
		}
	}
	for _, g := range r.groups {
		if from, by := choose(cs, g.fields, g.rules); from != nil {
			for _, f := range g.fields {
				take(f, from, by)
			}
		}
	}
	slices.SortFunc(lineage, func(a, b weir.Lineage) int {
		if a.Field < b.Field {
			return -1
		}
		return 1
	})
	return p, lineage
}

// Anonymous makes the profile of someone known by identifiers only.
func Anonymous(profileID string, ids weir.Identifiers) weir.Profile {
	return weir.Profile{ID: profileID, Kind: weir.Anonymous, Attributes: map[string]string{}, Identifiers: ids}
}

func see(p *weir.Profile, at time.Time) {
	if at.IsZero() {
		return
	}
	if p.FirstSeenAt.IsZero() || at.Before(p.FirstSeenAt) {
		p.FirstSeenAt = at
	}
	if at.After(p.LastSeenAt) {
		p.LastSeenAt = at
	}
}

// candidates sorts records by id, each id once.
func candidates(records []weir.Record) []candidate {
	out := make([]candidate, 0, len(records))
	for i := range records {
		c := candidate{Record: &records[i]}
		for _, v := range records[i].Attributes {
			if v != "" {
				c.filled++
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b candidate) int {
		switch {
		case a.ID < b.ID:
			return -1
		case a.ID > b.ID:
			return 1
		}
		return 0
	})
	return slices.CompactFunc(out, func(a, b candidate) bool { return a.ID == b.ID })
}

// KindOf returns the kind that most of the records have; of a tie, the first by
// name.
func KindOf(records []weir.Record) weir.Kind {
	n := map[weir.Kind]int{}
	for i := range records {
		n[records[i].Kind]++
	}
	var best weir.Kind
	for _, k := range slices.Sorted(maps.Keys(n)) {
		if n[k] > n[best] {
			best = k
		}
	}
	return best
}

func fieldsOf(cs []candidate) []string {
	set := map[string]struct{}{}
	for _, c := range cs {
		for f, v := range c.Attributes {
			if v != "" {
				set[f] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// hash is the first 16 hex digits of the keyed SHA-256 of a canonical text.
func (r *Rules) hash(v string) string {
	h := hmac.New(sha256.New, r.secret)
	h.Write([]byte(v))
	return hex.EncodeToString(h.Sum(nil)[:8])
}
