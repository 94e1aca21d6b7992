package segment

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/index"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// increase computes of a partition the profiles that are touched.
func increase(ctx context.Context, t *pipelines.Task) error {
	x, err := newIncrement(ctx, t)
	if err != nil {
		return err
	}
	y := &increasing{increment: x, part: x.from.Part(t.Partition())}
	if y.people, err = x.people(ctx, &y.part); err != nil {
		return err
	}
	if err := y.touch(ctx); err != nil {
		return err
	}
	y.choose()
	if err := y.addEvents(ctx); err != nil {
		return err
	}
	if err := y.patchTables(ctx); err != nil {
		return err
	}
	t.Count("computed", int64(len(y.partition.profiles.IDs)))
	t.Count("kept", int64(len(y.people.now.IDs)-len(y.partition.profiles.IDs)))
	for name, n := range map[string]int64{"events_later": y.later, "profiles_gone": int64(len(y.people.gone))} {
		if n > 0 {
			t.Count(name, n)
		}
	}
	if !y.people.changed {
		return y.partition.keeper.end(nil)
	}
	y.partition.keeper.miss(y.people.gone)
	return y.partition.keeper.end(y.people.now)
}

// increasing is one partition of an increment.
type increasing struct {
	*increment
	part      index.Part
	people    *people
	roster    *roster // of new events, by places among all profiles
	partition *partition
	handed    []membership.Column
	byNumber  []int32 // places among those that are computed; -1: not one of them
	living    []bool  // by number
	later     int64   // events that have not happened yet
}

// touch finds the profiles that something happened to, and those that time alone may
// make another.
func (y *increasing) touch(ctx context.Context) (err error) {
	all := &partition{setup: y.setup, t: y.t, profiles: y.people.now.Profiles}
	if y.roster, err = all.roster(ctx); err != nil {
		return err
	}
	for _, place := range y.roster.places {
		if place >= 0 {
			y.people.touched[place] = true
		}
	}
	if y.handed, err = readPrior(ctx, y.t, "handed"); err != nil {
		return err
	}
	for _, c := range y.handed {
		for _, id := range c.Profiles {
			if place := all.place(id); place >= 0 {
				y.people.touched[place] = true
			}
		}
	}
	return y.touchByClock(ctx)
}

// touchByClock touches those whose outcome the time since the last run may change.
func (y *increasing) touchByClock(ctx context.Context) error {
	clock := y.plan.Clock(y.from.Now, y.t.Spec().Run.Now)
	now, touched := y.people.now, y.people.touched
	if clock.All {
		for i := range touched {
			touched[i] = true
		}
		return nil
	}
	clock.Attributes(func(name string, flips func(string) bool) {
		a := now.Attributes[name]
		if a == nil {
			return
		}
		verdicts := make([]bool, a.Texts.Len())
		for code := range verdicts {
			verdicts[code] = code > 0 && flips(a.Texts.Text(uint32(code)))
		}
		for i, code := range a.Codes {
			touched[i] = touched[i] || verdicts[code]
		}
	})
	if clock.Still() {
		return nil
	}
	places := make([]int32, now.Next)
	for i := range places {
		places[i] = -1
	}
	for i, n := range now.Numbers {
		places[n] = int32(i)
	}
	var h heads
	moves := map[string]func(int64) bool{}
	return y.eachKept(ctx, func(row *blockRow) error {
		if err := h.open(row); err != nil {
			return err
		}
		by := make([]func(int64) bool, len(h.texts))
		for code, name := range h.texts {
			if _, known := moves[name]; !known {
				moves[name] = clock.Moves(name)
			}
			by[code] = moves[name]
		}
		for i, code := range h.codes {
			if move := by[code]; move != nil && move(h.at(i)) {
				if n := h.number(i); n < now.Next && places[n] >= 0 {
					touched[places[n]] = true
				}
			}
		}
		return nil
	})
}

// choose begins the evaluation of those who are touched.
func (y *increasing) choose() {
	now := y.people.now
	y.byNumber, y.living = make([]int32, now.Next), make([]bool, now.Next)
	for i := range y.byNumber {
		y.byNumber[i] = -1
	}
	p := &partition{setup: y.setup, t: y.t, keeper: y.setup.keeper(y.t, y.part)}
	var from []int
	for i, is := range y.people.touched {
		n := now.Numbers[i]
		if y.living[n] = true; is {
			y.byNumber[n] = int32(len(from))
			from = append(from, i)
			p.profiles.IDs, p.profiles.Kinds = append(p.profiles.IDs, now.IDs[i]), append(p.profiles.Kinds, now.Kinds[i])
		}
	}
	for to, i := range from {
		for name, a := range now.Attributes {
			if a.Codes[i] != 0 {
				p.profiles.Set(to, name, a.Texts.Text(a.Codes[i]))
			}
		}
	}
	y.partition = p
	p.cohort = y.plan.Cohort(&p.profiles, y.t.Spec().Run.Now)
}

// addEvents adds the events of those who are computed: what was kept, then what is
// new, which is kept with it.
func (y *increasing) addEvents(ctx context.Context) error {
	p, now := y.partition, y.t.Spec().Run.Now.UnixMicro()
	var o opened
	if len(p.profiles.IDs) > 0 || y.latest() > now {
		if err := y.eachKept(ctx, func(row *blockRow) error {
			if err := o.open(row, p.cohort.Texts()); err != nil {
				return err
			}
			for i := range o.Profiles {
				o.Profiles[i] = y.settle(uint32(o.Profiles[i]), o.At[i] > now)
			}
			p.cohort.Add(&o.Block)
			return nil
		}); err != nil {
			return err
		}
	}
	var numbers []uint32
	for row, err := range pipelines.Stream[blockRow](ctx, y.t, "blocks") {
		if err == nil {
			err = o.open(&row, p.cohort.Texts())
		}
		if err != nil {
			return err
		}
		numbers = sized(numbers, len(o.Profiles))
		for i, at := range o.Profiles {
			if numbers[i] = nobodys; y.roster.place(at) >= 0 {
				numbers[i] = y.people.now.Numbers[y.roster.place(at)]
			}
			if o.Profiles[i] = -1; o.At[i] <= now { // scatter has counted those that are later
				o.Profiles[i] = y.settle(numbers[i], false)
			}
		}
		if err := p.keeper.block(&row, numbers, o.At); err != nil {
			return err
		}
		p.cohort.Add(&o.Block)
	}
	p.keeper.roster(y.roster)
	for row, err := range pipelines.Stream[unownedRow](ctx, y.t, "unowned") {
		if err != nil {
			return err
		}
		p.keeper.see(row.Hash)
	}
	return nil
}

// settle returns the place of an event's profile, -1 where the event does not count
// or nobody computes the profile.
func (y *increasing) settle(number uint32, later bool) int32 {
	if int(number) >= len(y.byNumber) || !y.living[number] {
		return -1
	}
	if later {
		y.later++
		return -1
	}
	return y.byNumber[number]
}

// latest is the last moment of the events that were kept.
func (y *increasing) latest() int64 {
	out := int64(math.MinInt64)
	for _, b := range y.part.Blocks {
		out = max(out, b.Latest)
	}
	return out
}

// eachKept reads the blocks of events that the index has.
func (y *increasing) eachKept(ctx context.Context, do func(row *blockRow) error) error {
	for _, b := range y.part.Blocks {
		data, err := y.left(ctx, b.Key)
		if err != nil {
			return err
		}
		if err := eachBlock(data, do); err != nil {
			return y.refuse(refusedIndex, err)
		}
	}
	return nil
}

// heads are the numbers, moments and names of a block's events.
type heads struct {
	numbers, times []byte
	texts          []string // by code; 0 is the empty name
	codes          []uint32
	o              opened
	d              timeline.Texts
}

func (h *heads) number(i int) uint32 { return binary.LittleEndian.Uint32(h.numbers[4*i:]) }
func (h *heads) at(i int) int64      { return int64(binary.LittleEndian.Uint64(h.times[8*i:])) }

// open reads the heads alone.
func (h *heads) open(row *blockRow) error {
	n := int(row.Events)
	o := &h.o
	o.rest, o.bad = row.Columns, n < 0
	h.numbers, h.times = o.take(4*n), o.take(8*n)
	h.codes = o.coded(n, h.codes, &h.d)
	if o.bad {
		return damaged()
	}
	for code := len(h.texts); code < h.d.Len(); code++ {
		h.texts = append(h.texts, h.d.Text(uint32(code)))
	}
	return nil
}

// affected are the ids, sorted, whose rows of before are not copied.
func (y *increasing) affected() []string {
	out := slices.Concat(y.partition.profiles.IDs, y.people.gone)
	slices.Sort(out)
	return out
}
