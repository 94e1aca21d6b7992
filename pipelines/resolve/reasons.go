package resolve

import "github.com/weir-cdp/weir/pipelines/resolve/stableid"

// explained says which decision of a person did a change of ids.
type explained map[fate]*Decision

// fate is what became of a profile's records: they left it for another, because
// they were parted from those that stayed, or else because they were joined to those
// that were there.
type fate struct {
	from, to string
	parted   bool
}

// by is the decision that did a change, or nil. A split is first a parting.
func (e explained) by(c stableid.Change) *Decision {
	split := c.Change == "split"
	if d := e[fate{c.From, c.To, split}]; d != nil {
		return d
	}
	return e[fate{c.From, c.To, !split}]
}

// standing is where a record was and is, and on which side of a decision.
type standing struct {
	side     uint8
	was, now string
}

// reasons finds what new decisions did: of two records that one is about, and that
// are not as they were to each other, the change is its doing. A later decision
// goes before an earlier one. At gives a record's profile before and now.
func reasons(g *graph, p Params, at func(int32) (was, now string)) explained {
	out := explained{}
	for _, list := range [][]Decision{p.Ended, p.Decisions} {
		for i := range list {
			if d := &list[i]; d.New {
				out.find(d, g.standings(d, at))
			}
		}
	}
	return out
}

// standings lists the distinct standings of a decision's records, in the order of
// its records.
func (g *graph) standings(d *Decision, at func(int32) (was, now string)) []standing {
	var out []standing
	seen := map[standing]bool{}
	for side, records := range [][]string{d.Together, d.Stays, d.Moves} {
		for _, r := range records {
			m := g.names.Find(r)
			if m < 0 {
				continue
			}
			s := standing{side: uint8(side)}
			if s.was, s.now = at(m); s.was != "" && !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out
}

func (e explained) find(d *Decision, all []standing) {
	for i, a := range all {
		for _, b := range all[i+1:] {
			switch {
			case len(d.Together) == 0 && a.side == b.side: // says nothing about the two
			case a.was == b.was && a.now != b.now: // parted
				e[fate{a.was, a.now, true}], e[fate{b.was, b.now, true}] = d, d
			case a.was != b.was && a.now == b.now: // joined
				e[fate{a.was, a.now, false}], e[fate{b.was, b.now, false}] = d, d
			}
		}
	}
}
