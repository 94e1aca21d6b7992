package segment

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// chain is a shop over several runs: each in an increment where one is possible, and
// beside it all from scratch.
type chain struct {
	*rand.Rand
	t       *testing.T
	s       *object.Store
	name    string
	d       map[string]schema.Table
	params  Params
	now     time.Time
	priorAt time.Time
	runs    int
	since   int // increments since the last full run
	people  map[string]weir.Profile
	unmade  []weir.Profile // owners lead to them, and unify does not make them for now
	owners  map[[2]string]string
	merges  []weir.Merge
	events  []weir.DataFile
	fresh   []weir.Event
	count   int // events so far
	members []weir.DataFile
	traits  []weir.DataFile
	index   string           // key of the manifest
	ways    map[string]int64 // of runs
	counts  map[string]int64
}

var draw = struct {
	traits     []weir.TraitDef
	conditions []weir.Condition
}{
	traits: []weir.TraitDef{
		{Name: "ltv", Aggregate: "sum", Field: "properties.revenue", Event: "Order"},
		{Name: "orders", Aggregate: "count", Field: "events", Event: "Order", Within: 30 * 24 * time.Hour},
		{Name: "last_order", Aggregate: "last", Field: "occurred_at", Event: "Order"},
		{Name: "first_seen", Aggregate: "min", Field: "occurred_at"},
		{Name: "product", Aggregate: "last", Field: "properties.product"},
		{Name: "often", Aggregate: "most_frequent", Field: "name", Window: &weir.Window{During: "last_month"}},
		{Name: "products", Aggregate: "list", Field: "properties.product", Window: &weir.Window{Between: []string{"20d", "2d"}}},
		{Name: "mean", Aggregate: "avg", Field: "properties.revenue", Window: &weir.Window{Within: "2mo"}},
		{Name: "paid", Aggregate: "sum", Field: "properties.revenue", Event: "Order", Currency: "properties.currency"},
		{Name: "shipped", Aggregate: "sum", Field: "properties.shipping", Event: "Order", Window: &weir.Window{Between: []string{"20d", "2d"}}},
		{Name: "firm", Of: weir.Account, Aggregate: "count", Field: "events"},
	},
	conditions: []weir.Condition{
		{IsEvent: true, Event: "Order", Within: 7 * 24 * time.Hour},
		{IsEvent: true, Event: "View", Count: compare("at_least", "2"), Window: &weir.Window{During: "this_month"}},
		{IsEvent: true, Event: "View", Window: &weir.Window{During: "yesterday"}},
		{IsEvent: true, Event: "Order", Window: &weir.Window{Between: []string{"60d", "10d"}}},
		{IsEvent: true, Event: "Order", Window: &weir.Window{Between: []string{"2025-11-01", "2026-02-01"}}},
		{IsEvent: true, Event: "Open", Where: map[string][]weir.Comparison{"product": compare("is", "sku1")}},
		{IsEvent: true, Event: "View", Which: "last", Within: 24 * time.Hour},
		{IsEvent: true, Event: "Order", Which: "first", Where: map[string][]weir.Comparison{"product": compare("is_not", "sku2")}},
		{IsEvent: true, Event: "View", Session: "true", Count: compare("at_least", "2")},
		{Sequence: &weir.Sequence{Steps: []weir.Step{{Event: "View"}, {Event: "Order"}}}, Within: 30 * 24 * time.Hour},
		{Attribute: "country", Compare: compare("is", "FR")},
		{Attribute: "joined", Compare: compare("newer_than", "3d")},
		{Attribute: "born", Compare: []weir.Comparison{{Op: "anniversary", Values: []string{"next", "7d"}}}},
		{Trait: "ltv", Compare: compare("at_least", "60")},
		{Trait: "last_order", Compare: compare("older_than", "5d")},
		{Trait: "orders", Compare: compare("between", "1", "3")},
		{Random: &weir.Random{To: "40", Seed: "x"}},
	},
}

var drawTypes = map[string]weir.AttributeType{"country": weir.Text, "joined": weir.Instant, "born": weir.Date}

func newChain(t *testing.T, s *object.Store, seed uint64) *chain {
	c := &chain{Rand: rand.New(rand.NewPCG(seed, 77)), t: t, s: s, name: fmt.Sprint("chain", seed), d: tables(drawTypes), now: now,
		people: map[string]weir.Profile{}, owners: map[[2]string]string{}, ways: map[string]int64{}, counts: map[string]int64{}}
	p := Params{IdentifierOrder: []string{"customer_id", "cookie"}, AttributeTypes: drawTypes, Timezone: "Europe/Paris", Traits: slices.Clone(draw.traits)}
	few := seed%4 == 1 // of an order, nothing but that it is one is read before two days have passed
	if few {
		p.Traits = slices.DeleteFunc(p.Traits, func(t weir.TraitDef) bool { return t.Event == "Order" && t.Name != "shipped" })
	}
	if c.IntN(3) == 0 { // grows older every day: of everybody
		p.Traits = append(p.Traits, weir.TraitDef{Name: "idle", Aggregate: "since", Field: "last"})
	}
	for i := range 6 {
		if few {
			break
		}
		where := draw.conditions[c.IntN(len(draw.conditions))]
		switch other := draw.conditions[c.IntN(len(draw.conditions))]; c.IntN(4) {
		case 0:
			where = weir.Condition{All: []weir.Condition{where, {None: []weir.Condition{other}}}}
		case 1:
			where = weir.Condition{Any: []weir.Condition{where, other}}
		}
		if i > 0 && c.IntN(4) == 0 {
			where = weir.Condition{None: []weir.Condition{{Segment: "s" + strconv.Itoa(c.IntN(i))}}}
		}
		p.Segments = append(p.Segments, weir.SegmentDef{Name: "s" + strconv.Itoa(i), Where: where})
	}
	p.Segments = append(p.Segments, weir.SegmentDef{Name: "firms", Of: weir.Account, Where: weir.Condition{Trait: "firm", Compare: compare("at_least", "1")}},
		weir.SegmentDef{Name: "typo", Where: weir.Condition{Attribute: "country", Compare: compare("is", "FR")}})
	c.params = p
	for range 40 {
		c.person()
	}
	for range 150 {
		c.event()
	}
	return c
}

// person adds a profile with two identifiers, or one.
func (c *chain) person() {
	n := len(c.owners) + len(c.people)
	p := weir.Profile{ID: fmt.Sprintf("p%03d", (n*7919)%1000), Kind: []weir.Kind{weir.Person, weir.Person, weir.Person, weir.Account, weir.Anonymous}[c.IntN(5)], Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
	if _, taken := c.people[p.ID]; taken {
		return
	}
	c.describe(&p)
	c.people[p.ID] = p
	c.owners[[2]string{"customer_id", "c" + p.ID}] = p.ID
	if c.IntN(2) == 0 {
		c.owners[[2]string{"cookie", "k" + p.ID}] = p.ID
	}
}

func (c *chain) describe(p *weir.Profile) {
	p.Attributes = map[string]string{"born": fmt.Sprintf("1990-%02d-%02d", 1+c.IntN(12), 1+c.IntN(28)), "joined": c.moment().Format(time.RFC3339Nano)}
	if v := []string{"FR", "DE", ""}[c.IntN(3)]; v != "" {
		p.Attributes["country"] = v
	}
}

// spoil breaks the last segment, which keeps its members from then on.
func (c *chain) spoil() {
	c.params.Segments[len(c.params.Segments)-1].Where.Attribute = "contry"
	c.index = "" // of other definitions
}

func (c *chain) moment() time.Time {
	return c.now.Add(-time.Duration(c.IntN(80*24)-48) * time.Hour).Add(time.Duration(c.IntN(3)-1) * time.Microsecond)
}

// event adds one of somebody, of two, or of nobody.
func (c *chain) event() {
	ids := weir.Identifiers{}
	all := slices.SortedFunc(maps.Keys(c.owners), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	for range 1 + c.IntN(2) {
		if k := all[c.IntN(len(all))]; c.IntN(8) > 0 {
			ids.Add(k[0], k[1])
		} else {
			ids.Add("cookie", fmt.Sprint("stranger", c.IntN(4)))
		}
	}
	c.count++
	c.fresh = append(c.fresh, weir.Event{ID: fmt.Sprintf("e%05d", c.count*7919%100000), Name: []string{"Order", "View", "Open", "Other"}[c.IntN(4)], OccurredAt: c.moment(), ReceivedAt: c.now, Identifiers: ids,
		Properties: map[string]string{"revenue": fmt.Sprintf("%d.5", c.IntN(40)), "product": fmt.Sprint("sku", c.IntN(4)), "shipping": strconv.Itoa(c.IntN(9)), "currency": []string{"EUR", "EUR", "EUR", "USD"}[c.IntN(4)]}})
}

// happen changes the shop.
func (c *chain) happen() {
	for range c.IntN(6) {
		c.event()
	}
	ids := slices.Sorted(maps.Keys(c.people))
	one := ids[c.IntN(len(ids))]
	switch c.IntN(9) {
	case 0:
		c.person()
		c.person()
	case 1:
		p := c.people[one]
		if c.describe(&p); c.IntN(3) == 0 {
			p.Kind = []weir.Kind{weir.Person, weir.Account, weir.Anonymous}[c.IntN(3)]
		}
		c.people[one] = p
	case 2: // somebody is another's from now on
		if heir := ids[c.IntN(len(ids))]; heir != one {
			delete(c.people, one)
			c.merges = append(c.merges, weir.Merge{At: c.now, RunID: "r", Change: "merge", From: one, To: heir})
			for k, owner := range c.owners {
				if owner == one {
					c.owners[k] = heir
				}
			}
		}
	case 3:
		delete(c.people, one) // and nobody is it
		for k, owner := range c.owners {
			if owner == one {
				delete(c.owners, k)
			}
		}
	case 4:
		c.unmade = append(c.unmade, c.people[one])
		delete(c.people, one)
	case 5: // and they are back
		for _, p := range c.unmade {
			c.people[p.ID] = p
		}
		c.unmade = nil
	}
	c.priorAt, c.now = c.now, c.now.Add([]time.Duration{0, 0, time.Microsecond, time.Hour, 24 * time.Hour, 40 * 24 * time.Hour}[c.IntN(6)])
}
