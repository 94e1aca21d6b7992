package segment

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/index"
)

// Most is the greatest part that the events of increments may be of those of the full
// run that began the index, in per cent. Beyond it a full run is due: it leaves out
// what no window can hold any more.
const Most = 50

// MostIncrements is how many may go on from each other. Each leaves objects of its own,
// however small, and all later ones read them.
const MostIncrements = 100

// GoOn makes of the spec of a full run that of the increment which goes on from an
// index, or says why all has to be computed. Oldest is how long an index may live: it
// holds what tables have lost since. What of the result differs from the spec's own
// place (stage, scratch, manifest) is the caller's.
func GoOn(m *index.Manifest, full *pipelines.Spec, oldest time.Duration) (spec pipelines.Spec, why string, err error) {
	p := IncrementParams{Files: map[string][]weir.DataFile{}}
	if err := json.Unmarshal(full.Params, &p.Params); err != nil {
		return spec, "", weir.Errorf(weir.Internal, "params of segment: %w", err)
	}
	const events, profiles, owners = "core.events", "core.profiles", "identity.identifiers"
	added, gone := m.Changes(events, full.Inputs[events])
	rows := m.Events() - m.Base
	for _, f := range added {
		rows += f.Rows
	}
	now := full.Run.Now
	switch {
	case m.Basis != p.Keep.Basis:
		return spec, "other_definitions", nil
	case now.Before(m.Now):
		return spec, "now_earlier", nil // what windows have lost is not kept
	case now.Sub(m.Began) > oldest:
		return spec, "index_old", nil
	case len(gone) > 0:
		return spec, "events_rewritten", nil
	case rows*100 > m.Base*Most, m.Increments >= MostIncrements:
		return spec, "index_worn", nil
	case len(p.Keep.Traits)+len(full.Inputs["segment.memberships"]) == 0:
		return spec, "no_tables", nil
	}
	spec = *full
	spec.Inputs, spec.Partitions, spec.Stage = maps.Clone(full.Inputs), m.Partitions, weir.SegmentIncrement
	for _, name := range keptTables {
		p.Files[name] = full.Inputs[name]
	}
	spec.Inputs[events], spec.Inputs["core.traits"] = added, p.Keep.Traits
	changed, lost := m.Changes(profiles, full.Inputs[profiles])
	if p.Profiles = len(changed)+len(lost) > 0; !p.Profiles {
		delete(spec.Inputs, profiles)
	}
	p.OwnersAdded, p.OwnersGone = m.Changes(owners, full.Inputs[owners])
	if spec.Params, err = json.Marshal(p); err != nil {
		return spec, "", weir.Errorf(weir.Internal, "params of an increment: %w", err)
	}
	return spec, "", nil
}

// Whole says why runs of these definitions leave no index; "": they do. What scores
// learn, what queries answer and whom linked profiles are asked for may change of
// anybody with each run.
func (p Params) Whole() string {
	switch {
	case slices.ContainsFunc(p.Traits, func(t weir.TraitDef) bool { return t.Score != nil }):
		return "scores"
	case slices.ContainsFunc(p.Traits, func(t weir.TraitDef) bool { return t.Query != nil }):
		return "queries"
	case p.Relations():
		return "relations"
	}
	return ""
}
