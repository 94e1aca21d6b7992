package segment

import (
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// Pipeline reads core.profiles, core.events, identity.identifiers, the prior
// segment.memberships and identity.merges, and writes core.traits,
// segment.memberships, segment.changes and segment.scores. What queries answered
// comes as rows of core.traits that no table has yet. Where segments ask about people
// of accounts, or accounts of people, it reads identity.accounts too.
var Pipeline = pipelines.Pipeline{
	Stage:   weir.Segment,
	Sources: []string{"core.profiles", "identity.identifiers", "segment.memberships", "core.events", "core.traits", "identity.accounts"},
	Steps: []pipelines.Step{
		{Name: "scatter", Run: scatter},
		{Name: "own", Run: own},
		{Name: "choose", Run: choose},
		{Name: "study", Run: study},
		{Name: "learn", Run: learn},
		{Name: "relate", Run: relate},
		{Name: "compute", Run: compute},
		{Name: "keep", Run: keep},
	},
	Outputs: outputs,
}

func outputs(*pipelines.Spec) ([]weir.TableFiles, error) {
	return []weir.TableFiles{
		{Table: "core.traits", Replace: true},
		{Table: "segment.memberships", Replace: true},
		{Table: "segment.changes"},
		{Table: "segment.scores", Replace: true},
		{Table: "ops.quarantine", Scope: pipelines.QuarantineScope(weir.Segment, BrokenSource, BrokenStream), Replace: true},
	}, nil
}

// BrokenSource and BrokenStream are under what broken definitions are quarantined.
const BrokenSource, BrokenStream = "project", "segments"

// report quarantines every broken definition; one task of the run does it.
func (s *setup) report(t *pipelines.Task) error {
	for _, b := range s.broken {
		what := "segment "
		if b.Trait {
			what = "trait "
		}
		q := weir.Quarantined{Stage: weir.Segment, Source: BrokenSource, Stream: BrokenStream, Field: what + b.Name,
			Origin: b.Where(), Reason: strings.Join(b.Reasons(), "; "), Withheld: true}
		if err := pipelines.Quarantine(t, q); err != nil {
			return err
		}
		if !b.Trait {
			t.Count("segments_broken", 1)
		}
	}
	return nil
}

// memberRow is a profile that is computed, with the attributes that some rule reads:
// setup.names.
type memberRow struct {
	ID     string
	Kind   string
	Values []string
}

// profileRow is a profile that is studied, with the attributes that scores read.
type profileRow struct {
	ID     string
	Kind   string
	Names  []string
	Values []string
}

// eventRow is an event, with the properties that some definition reads.
type eventRow struct {
	Profile    string // once it is known
	Kind       string // of its one identifier, until then
	Value      string
	ID         string
	Name       string
	At         int64 // microseconds since 1970
	Properties []string
	For        int32    // forTally, forScores, forRelated
	Scored     []string // the properties that scores read
	Related    []string // those that are read of linked profiles
}

// What an event is for.
const (
	forTally int32 = 1 << iota
	forScores
	forRelated
)

// ownerRow says which profile an identifier leads to.
type ownerRow struct {
	Kind    string
	Value   string
	Profile string
}

// claimRow is one identifier of an event with several: first the identifier,
// then the profile that it leads to.
type claimRow struct {
	Event   string
	Rank    int32 // 0: the strongest
	Kind    string
	Value   string
	Profile string
}
