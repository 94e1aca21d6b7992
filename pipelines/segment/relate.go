package segment

import (
	"cmp"
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
)

// linkRow says that a profile which is asked about is linked to one that asks.
type linkRow struct {
	Asked string
	Kind  string // that Asked has as an end of the link
	Asks  string
}

// relatedRow tells one that asks how many of a partition's profiles are linked to it,
// and how many of them fit.
type relatedRow struct {
	Profile string
	Slot    int32 // of tally.Related
	All     uint32
	Fit     uint32
}

// relating is the setup of step relate: the same profiles and events, as far as
// rules ask about linked profiles.
func (s *setup) relating() {
	related := s.plan.Related()
	if related == nil {
		return
	}
	r := *s
	r.plan, r.asked, r.step = related.Plan, related, "relate"
	r.readsOf(r.plan)
	s.related = &r
}

// scatterLinks sends each link to the partitions of those who are asked about.
func (s *setup) scatterLinks(ctx context.Context, t *pipelines.Task) error {
	if s.related == nil {
		return nil
	}
	kinds := s.related.asked.Kinds()
	for l, err := range pipelines.Rows[weir.AccountLink](ctx, t) {
		if err != nil {
			return err
		}
		if kinds[weir.Person] {
			if err := emit(t, "relate:links", l.ProfileID, linkRow{l.ProfileID, string(weir.Person), l.AccountID}); err != nil {
				return err
			}
		}
		if kinds[weir.Account] {
			if err := emit(t, "relate:links", l.AccountID, linkRow{l.AccountID, string(weir.Account), l.ProfileID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// relate evaluates what rules ask about linked profiles over a partition of these,
// and tells those who ask.
func relate(ctx context.Context, t *pipelines.Task) error {
	s, err := prepared(t)
	if err != nil {
		return err
	}
	if s.related == nil {
		return weir.Errorf(weir.Internal, "rows for step relate, and no rule asks about linked profiles")
	}
	p := &partition{setup: s.related, t: t}
	if err := p.readProfiles(ctx); err != nil {
		return err
	}
	p.cohort = p.plan.Cohort(&p.profiles, t.Spec().Run.Now)
	if err := p.addEvents(ctx); err != nil {
		return err
	}
	if err := p.addBlocks(ctx); err != nil {
		return err
	}
	if err := p.giveAnswers(ctx); err != nil {
		return err
	}
	if _, err := p.giveScores(ctx); err != nil { // who goes by a refused one is broken in compute
		return err
	}
	return p.tellAskers(ctx, p.asked.Answers(p.cohort.Outcome()))
}

// tellAskers adds up, for each profile that asks, those linked to it and those that
// fit; who is linked twice counts once.
func (p *partition) tellAskers(ctx context.Context, fits []rule.Bits) error {
	links, err := pipelines.Read[linkRow](ctx, p.t, "links")
	if err != nil {
		return err
	}
	slices.SortFunc(links, func(a, b linkRow) int {
		return cmp.Or(cmp.Compare(a.Asks, b.Asks), cmp.Compare(a.Asked, b.Asked), cmp.Compare(a.Kind, b.Kind))
	})
	links = slices.Compact(links)
	for len(links) > 0 {
		n := 1
		for n < len(links) && links[n].Asks == links[0].Asks {
			n++
		}
		if err := p.tellAsker(links[:n], fits); err != nil {
			return err
		}
		links = links[n:]
	}
	return nil
}

// tellAsker tells one profile; all links are its.
func (p *partition) tellAsker(links []linkRow, fits []rule.Bits) error {
	told := make([]rule.Linked, len(fits))
	for _, l := range links {
		place := p.place(l.Asked)
		if place < 0 || string(p.profiles.Kinds[place]) != l.Kind { // a profile that is no more, or anonymous
			continue
		}
		for slot := range fits {
			if p.profiles.Kinds[place] != p.asked.Kind(slot) {
				continue
			}
			told[slot].All++
			if fits[slot] == nil || fits[slot].Has(place) {
				told[slot].Fit++
			}
		}
	}
	for slot, n := range told {
		if n.All == 0 {
			continue
		}
		row := relatedRow{Profile: links[0].Asks, Slot: int32(slot), All: n.All, Fit: n.Fit}
		if err := emit(p.t, "compute:related", row.Profile, row); err != nil {
			return err
		}
	}
	return nil
}

// giveRelated tells the partition's profiles who is linked to them.
func (p *partition) giveRelated(ctx context.Context) error {
	if p.related == nil {
		return nil
	}
	for row, err := range pipelines.Stream[relatedRow](ctx, p.t, "related") {
		if err != nil {
			return err
		}
		if place := p.place(row.Profile); place >= 0 {
			p.cohort.Relate(place, int(row.Slot), rule.Linked{All: row.All, Fit: row.Fit})
		}
	}
	return nil
}

// count counts what happens in compute; relate sees the same rows again.
func (p *partition) count(name string, n int64) {
	if p.asked == nil {
		p.t.Count(name, n)
	}
}

// Relations says whether some segment asks about people of accounts or accounts of
// people: then the stage reads identity.accounts too.
func (p Params) Relations() bool {
	return slices.ContainsFunc(p.Segments, func(s weir.SegmentDef) bool { return s.Where.AsksRelated() })
}

// relatedGathering is the gathering of events that linked profiles are asked about; nil:
// there is nothing to gather.
func (s *setup) relatedGathering(t *pipelines.Task, o *owners) *gathering {
	if s.related == nil || !s.related.plan.ReadsEvents() {
		return nil
	}
	g := s.related.gathering(t, o)
	g.held.to = "relate:blocks"
	return g
}
