package unify

import (
	"context"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/unify/survivorship"
)

// golden writes the profiles of one partition, sorted by id.
func golden(ctx context.Context, t *pipelines.Task) error {
	rules, err := compiled(t)
	if err != nil {
		return err
	}
	records, owned, err := gather(ctx, t)
	if err != nil {
		return err
	}
	profiles, err := pipelines.Output[weir.Profile](t, "core.profiles", "")
	if err != nil {
		return err
	}
	lineage, err := pipelines.Output[weir.Lineage](t, "core.lineage", "")
	if err != nil {
		return err
	}
	for _, id := range idsOf(records, owned) {
		p, from := rules.profile(id, records[id], owned[id])
		t.Count("profiles_"+string(p.Kind), 1)
		if err := profiles.Write(p); err != nil {
			return err
		}
		for _, l := range from {
			if err := lineage.Write(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather reads the partition's records and identifiers by profile.
func gather(ctx context.Context, t *pipelines.Task) (map[string][]weir.Record, map[string]weir.Identifiers, error) {
	columns := map[string]bool{}
	for _, c := range t.Spec().Schemas["core.profiles"].Attributes() {
		columns[c.Name] = true
	}
	records := map[string][]weir.Record{}
	for row, err := range pipelines.Stream[recordRow](ctx, t, "records") {
		if err != nil {
			return nil, nil, err
		}
		records[row.Profile] = append(records[row.Profile], row.record(columns))
	}
	owned := map[string]weir.Identifiers{}
	for row, err := range pipelines.Stream[ownerRow](ctx, t, "owners") {
		if err != nil {
			return nil, nil, err
		}
		if owned[row.Profile] == nil {
			owned[row.Profile] = weir.Identifiers{}
		}
		owned[row.Profile].Add(row.Kind, row.Value)
	}
	return records, owned, nil
}

func idsOf(records map[string][]weir.Record, owned map[string]weir.Identifiers) []string {
	ids := slices.Collect(maps.Keys(records))
	for id := range owned {
		if _, has := records[id]; !has {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// byKind is the survivorship of each kind of profile.
type byKind map[weir.Kind]*survivorship.Rules

func compiled(t *pipelines.Task) (byKind, error) {
	params, err := pipelines.Params[Params](t)
	if err != nil {
		return nil, err
	}
	secret, err := t.Secret(LineageSecret)
	if err != nil {
		return nil, err
	}
	return pipelines.Shared(t, "survivorship", func() (byKind, error) {
		out := byKind{}
		for _, kind := range []weir.Kind{weir.Person, weir.Account} {
			var s weir.Survivorship
			for _, d := range params.Identity {
				if d.Kind == kind {
					s = d.Survivorship
				}
			}
			if out[kind], err = survivorship.Compile(s, []byte(secret)); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
}

// profile makes one profile; a person's and an account's rules may differ.
func (b byKind) profile(id string, records []weir.Record, owned weir.Identifiers) (weir.Profile, []weir.Lineage) {
	if len(records) == 0 {
		return survivorship.Anonymous(id, owned), nil
	}
	rules := b[survivorship.KindOf(records)]
	if rules == nil {
		rules = b[weir.Person]
	}
	p, lineage := rules.Golden(id, records)
	for kind, values := range owned {
		for _, v := range values {
			p.Identifiers.Add(kind, v)
		}
	}
	return p, lineage
}
