package segment

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/index"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// partition is a partition's profiles, by place: in the order of their ids.
type partition struct {
	*setup
	t        *pipelines.Task
	profiles tally.Profiles
	cohort   *tally.Cohort
	keeper   *keeper
}

// place returns the place of a profile; -1 if it is none of the partition.
func (p *partition) place(id string) int {
	if at, found := slices.BinarySearch(p.profiles.IDs, id); found {
		return at
	}
	return -1
}

// compute evaluates a partition of profiles.
func compute(ctx context.Context, t *pipelines.Task) error {
	s, err := prepared(t)
	if err != nil {
		return err
	}
	p := &partition{setup: s, t: t, keeper: s.keeper(t, index.Part{Partition: t.Partition()})}
	if err := p.readProfiles(ctx); err != nil {
		return err
	}
	p.cohort = s.plan.Cohort(&p.profiles, t.Spec().Run.Now)
	if err := p.addEvents(ctx); err != nil {
		return err
	}
	if err := p.addBlocks(ctx); err != nil {
		return err
	}
	if err := p.keepPeople(ctx); err != nil {
		return err
	}
	if err := p.giveAnswers(ctx); err != nil {
		return err
	}
	status, err := p.giveScores(ctx)
	if err != nil {
		return err
	}
	if err := p.giveRelated(ctx); err != nil {
		return err
	}
	out := p.cohort.Outcome()
	for name, n := range map[string]int64{"values_not_numbers": out.Skipped, "currencies_mixed": out.Mixed,
		"expressions_failed": out.Failed, "sequences_cut": out.Forgot} {
		if n > 0 {
			t.Count(name, n)
		}
	}
	if err := p.writeTraits(out.Traits); err != nil {
		return err
	}
	return p.writeMemberships(ctx, status, out.Segments)
}

// readProfiles reads the partition's profiles in the order of their ids; of two of
// one id the last counts.
func (p *partition) readProfiles(ctx context.Context) error {
	rows, err := pipelines.Read[memberRow](ctx, p.t, "profiles")
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(a, b memberRow) int { return strings.Compare(a.ID, b.ID) })
	kept := rows[:0]
	for i := range rows {
		if i+1 == len(rows) || rows[i+1].ID != rows[i].ID {
			kept = append(kept, rows[i])
		}
	}
	for i := range kept {
		p.profiles.IDs, p.profiles.Kinds = append(p.profiles.IDs, strings.Clone(kept[i].ID)), append(p.profiles.Kinds, weir.Kind(kept[i].Kind))
	}
	for i := range kept {
		for j, text := range kept[i].Values {
			if text != "" {
				p.profiles.Set(i, p.names[j], text)
			}
		}
	}
	return nil
}

// blockEvents is how many events that come one by one are added at once.
const blockEvents = 4 << 10

// addEvents adds the events that came by their profiles' ids.
func (p *partition) addEvents(ctx context.Context) error {
	b, d := &timeline.Block{Properties: make([][]uint32, len(p.plan.Properties()))}, p.cohort.Texts()
	var ids []byte
	add := func() {
		b.IDs = string(ids)
		p.cohort.Add(b)
		b.Profiles, b.At, b.Names, b.IDEnds, ids = b.Profiles[:0], b.At[:0], b.Names[:0], b.IDEnds[:0], ids[:0]
		for slot := range b.Properties {
			b.Properties[slot] = b.Properties[slot][:0]
		}
	}
	for row, err := range pipelines.Stream[eventRow](ctx, p.t, "events") {
		if err != nil {
			return err
		}
		place := p.place(row.Profile)
		if place < 0 { // identifiers of a profile that unify has not made
			p.count("events_unowned", 1)
			continue
		}
		ids = append(ids, row.ID...)
		b.Profiles, b.At, b.IDEnds = append(b.Profiles, int32(place)), append(b.At, row.At), append(b.IDEnds, uint32(len(ids)))
		b.Names = append(b.Names, d.Names.Code(row.Name))
		for slot := range b.Properties {
			text := ""
			if slot < len(row.Properties) {
				text = row.Properties[slot]
			}
			b.Properties[slot] = append(b.Properties[slot], d.Properties[slot].Code(text))
		}
		if len(b.At) == blockEvents {
			add()
		}
	}
	add()
	return nil
}

// roster is whose the places of a partition are that events name.
type roster struct {
	places []int32 // among the partition's profiles; -1: none
	hashes []int64
	names  map[int32]string // of those that are not there
	used   []bool
}

func (p *partition) roster(ctx context.Context) (*roster, error) {
	r := &roster{names: map[int32]string{}}
	for row, err := range pipelines.Stream[rosterRow](ctx, p.t, "roster") {
		if err != nil {
			return nil, err
		}
		for int(row.Place) >= len(r.places) {
			r.places, r.hashes = append(r.places, -1), append(r.hashes, 0)
		}
		r.places[row.Place], r.hashes[row.Place] = int32(p.place(row.Profile)), row.Hash
		if r.places[row.Place] < 0 {
			r.names[row.Place] = strings.Clone(row.Profile)
		}
	}
	r.used = make([]bool, len(r.places))
	return r, nil
}

// place is the profile of a place that an event names; -1: none.
func (r *roster) place(at int32) int32 {
	if int(at) >= len(r.places) {
		return -1
	}
	r.used[at] = true
	return r.places[at]
}

// addBlocks adds the events that came by places of the roster.
func (p *partition) addBlocks(ctx context.Context) error {
	r, err := p.roster(ctx)
	if err != nil {
		return err
	}
	var o opened
	var numbers []uint32
	unowned, now := int64(0), p.t.Spec().Run.Now.UnixMicro()
	for row, err := range pipelines.Stream[blockRow](ctx, p.t, "blocks") {
		if err == nil {
			err = o.open(&row, p.cohort.Texts())
		}
		if err != nil {
			return err
		}
		numbers = sized(numbers, len(o.Profiles))
		for i, at := range o.Profiles {
			place := r.place(at)
			numbers[i] = uint32(place) // -1 is nobodys
			if place < 0 {             // identifiers of a profile that unify has not made
				unowned++
			}
			if o.At[i] > now {
				place = -1
			}
			o.Profiles[i] = place
		}
		if err := p.keeper.block(&row, numbers, o.At); err != nil {
			return err
		}
		p.cohort.Add(&o.Block)
	}
	if unowned > 0 {
		p.count("events_unowned", unowned)
	}
	p.keeper.roster(r)
	return nil
}

// keepPeople leaves the partition's profiles and what identifies their events in the
// index.
func (p *partition) keepPeople(ctx context.Context) error {
	if p.keeper == nil {
		return nil
	}
	for row, err := range pipelines.Stream[unownedRow](ctx, p.t, "unowned") {
		if err != nil {
			return err
		}
		p.keeper.see(row.Hash)
	}
	people := &index.People{Profiles: p.profiles, Numbers: make([]uint32, len(p.profiles.IDs)), Next: uint32(len(p.profiles.IDs))}
	for i := range people.Numbers {
		people.Numbers[i] = uint32(i)
	}
	return p.keeper.end(people)
}

// writeMemberships writes who belongs to the segments, and what changed.
func (p *partition) writeMemberships(ctx context.Context, status map[string]membership.Status, found []tally.SegmentBits) (err error) {
	run, bits := p.t.Spec().Run, map[string]tally.SegmentBits{}
	for _, s := range found {
		bits[s.Name] = s
	}
	in := membership.Sorted{Run: run, Segments: status, IDs: p.profiles.IDs, Matches: func(segment string) func(func(int) bool) {
		if s, evaluated := bits[segment]; evaluated {
			return s.All
		}
		return nil
	}}
	if in.Prior, err = readPrior(ctx, p.t, "prior"); err != nil {
		return err
	}
	if in.Handed, err = readPrior(ctx, p.t, "handed"); err != nil {
		return err
	}
	counts := map[string]int64{}
	members, err := p.memberTable()
	if err != nil {
		return err
	}
	var done func() error
	w := membership.Writer{Member: func(segment string, place int, at time.Time) error {
		return members.member(segment, p.profiles.IDs[place], at)
	}}
	if w.Change, done, err = p.changeWriter(counts); err != nil {
		return err
	}
	if err := in.Diff(w); err != nil {
		return err
	}
	p.countChanges(counts)
	if err := members.flush(); err != nil {
		return err
	}
	return done()
}
