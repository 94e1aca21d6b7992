package segment

import (
	"context"
	"hash/maphash"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// toldRows is up to how many rows of identity.identifiers every process holds
// them all, some 40 bytes each, so that events go straight to their profiles.
// Tests lower it.
var toldRows int64 = 6_000_000

// owners says where the profile of an identifier is computed: in which partition,
// and at which place of its roster. It holds hashes, not texts: one of 64 bits says where
// to look, by a seed that nobody knows, another of 64 bits is compared, so that no two
// identifiers have one.
type owners struct {
	seeds [2]maphash.Seed
	slots []ownerSlot // a power of two
}

type ownerSlot struct {
	hash  uint64
	owner owner
}

// owner is a partition and a place in its roster, counted from 1: 0 is nobody.
type owner struct{ partition, place uint32 }

func newOwners(rows int64) *owners {
	size := 16
	for int64(size) < 2*rows {
		size *= 2
	}
	return &owners{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, slots: make([]ownerSlot, size)}
}

// kindHash begins the hashes of identifiers of a kind.
func (o *owners) kindHash(kind string) [2]uint64 {
	return [2]uint64{maphash.String(o.seeds[0], kind) * 0x9e3779b97f4a7c15, maphash.String(o.seeds[1], kind) * 0xc2b2ae3d27d4eb4f}
}

// hash gives both hashes of an identifier.
func (o *owners) hash(kind [2]uint64, value string) (where, what uint64) {
	return maphash.String(o.seeds[0], value) ^ kind[0], maphash.String(o.seeds[1], value) ^ kind[1]
}

// at is where an identifier is, or would be.
func (o *owners) at(where, what uint64) *ownerSlot {
	mask := uint64(len(o.slots) - 1)
	for i := where & mask; ; i = (i + 1) & mask {
		if s := &o.slots[i]; s.owner.place == 0 || s.hash == what {
			return s
		}
	}
}

// touch has the processor load what will be looked at, all of it at a time. What it
// returns means nothing.
func (o *owners) touch(all []candidate) (sum uint64) {
	mask := uint64(len(o.slots) - 1)
	for i := range all {
		sum += o.slots[all[i].where&mask].hash
	}
	return sum
}

// of returns an identifier's owner.
func (o *owners) of(kind [2]uint64, value string) owner { return o.at(o.hash(kind, value)).owner }

func (o *owners) add(kind [2]uint64, value string, to owner) {
	where, what := o.hash(kind, value)
	if s := o.at(where, what); s.owner.place == 0 {
		*s = ownerSlot{what, to}
	}
}

// toldOwners returns the owners that every process holds; nil where there are too
// many, or where scores read the events one by one.
func (s *setup) toldOwners(ctx context.Context, t *pipelines.Task) (*owners, error) {
	rows := ownerRows(t)
	if rows > toldRows || s.scores.Any() {
		return nil, nil
	}
	return pipelines.Shared(t, "owners", func() (*owners, error) { return readOwners(ctx, t, rows) })
}

func ownerRows(t *pipelines.Task) (rows int64) {
	for _, f := range t.Spec().Inputs["identity.identifiers"] {
		rows += f.Rows
	}
	return rows
}

// readOwners gives every unambiguous identifier a place, in the order of the table.
func readOwners(ctx context.Context, t *pipelines.Task, rows int64) (*owners, error) {
	o, partitions := newOwners(rows), max(1, t.Spec().Partitions)
	places := make([]uint32, partitions)
	err := eachOwner(pipelines.InputBatches(ctx, t, "identity.identifiers", ownerColumns), func(kind, value, profile string) error {
		p := pipelines.PartitionOf(profile, partitions)
		places[p]++
		o.add(o.kindHash(kind), value, owner{uint32(p), places[p]})
		return nil
	})
	return o, err
}

var ownerColumns = []string{"kind", "value", "profile_id", "ambiguous"}

// eachOwner calls do for every identifier that leads to a profile. The texts are
// valid during the call.
func eachOwner(batches func(yield func(pipelines.Batch, error) bool), do func(kind, value, profile string) error) error {
	for b, err := range batches {
		if err != nil {
			return err
		}
		var texts [3]array.StringLike
		for i, name := range ownerColumns[:3] {
			if texts[i], err = textColumn(b.Rows, name); err != nil {
				return err
			}
		}
		ambiguous, err := columnOf[*array.Boolean](b.Rows, "ambiguous")
		if err != nil {
			return err
		}
		for i := range int(b.Rows.NumRows()) {
			if ambiguous.IsValid(i) && ambiguous.Value(i) || texts[2].IsNull(i) || texts[2].Value(i) == "" || texts[1].IsNull(i) {
				continue
			}
			if err := do(texts[0].Value(i), texts[1].Value(i), texts[2].Value(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// rosterRow says whose profile is at a place of a partition.
type rosterRow struct {
	Place   int32
	Profile string
	Hash    int64 // of the identifier, where an index is kept
}

// unownedRow is an identifier of events that led to nobody, by its hash.
type unownedRow struct{ Hash int64 }

// scatterRoster tells each partition whose the places are that events name.
func (s *setup) scatterRoster(ctx context.Context, t *pipelines.Task, o *owners) error {
	return eachOwner(pipelines.Batches(ctx, t, ownerColumns), func(kind, value, profile string) error {
		to := o.of(o.kindHash(kind), value)
		if to.place == 0 {
			return weir.Errorf(weir.Internal, "an identifier has no place")
		}
		row := rosterRow{Place: int32(to.place), Profile: profile}
		if s.related != nil && s.related.plan.ReadsEvents() {
			if err := pipelines.Emit(t, "relate:roster", int(to.partition), row); err != nil {
				return err
			}
		}
		if s.keeps(t) {
			row.Hash = identifierHash(kind, value)
		}
		return pipelines.Emit(t, "compute:roster", int(to.partition), row)
	})
}
