package stages

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

// DiffOrder asks what an identity.yaml would do.
type DiffOrder struct {
	Run weir.RunID // a name for the rehearsal, of no run
	// Share of the profiles to look at, 0 to 1; 0 and 1: all.
	Share float64
	// Against is the project whose identity.yaml is compared with; nil: what is
	// current, whatever it was made by.
	Against *project.Project
}

// IdentityDiff is what would become of the tables.
type IdentityDiff struct {
	Share       float64         `json:"share"`
	Approximate []string        `json:"approximate"` // what of it is, where a sample was looked at
	Records     int64           `json:"records"`     // looked at
	Profiles    [2]int64        `json:"profiles"`    // before and after, of these records
	Moved       int64           `json:"moved"`       // records that change profiles
	Merged      int64           `json:"merged"`      // profiles that would hold records of several
	Split       int64           `json:"split"`       // profiles whose records would be in several
	Rates       []RateShift     `json:"match_rates"`
	Largest     [2][]Large      `json:"largest"`  // profiles before and after
	Examples    []DiffExample   `json:"examples"` // the first of each change
	Segments    []SegmentResize `json:"segments"`
	Models      []LearnedModel  `json:"models"`
}

// RateShift is a match rate before and after; Rule "" is any.
type RateShift struct {
	Kind    weir.Kind `json:"kind"`
	Rule    string    `json:"rule"`
	Before  int64     `json:"before"` // records that share a profile with another; of a rule: that it joins to another
	After   int64     `json:"after"`
	Records int64     `json:"records"`
}

// DiffExample is one profile that would be put together or taken apart.
type DiffExample struct {
	Change  string     `json:"change"` // merged, split
	Profile string     `json:"profile_id"`
	Parts   []DiffPart `json:"parts"`
}

// DiffPart is one of the profiles of the other side, with some of the records.
type DiffPart struct {
	Profile string   `json:"profile_id"`
	Size    int64    `json:"size"`
	Records []string `json:"records"`
}

// SegmentResize is what becomes of a segment.
type SegmentResize struct {
	Segment string `json:"segment"`
	Before  int64  `json:"before"`
	After   int64  `json:"after"`
	Enter   int64  `json:"enter"`
	Exit    int64  `json:"exit"`
}

// How much a comparison shows.
const (
	examplesShown = 5
	largestShown  = 5
	recordsShown  = 5
)

// DiffIdentity computes what a run with the project's identity.yaml would change,
// by running resolve, unify and segment without committing anything. On all
// records it says what the run would do; it takes as long as those stages do. A
// model that it has to train is kept for the run that follows.
func (h *House) DiffIdentity(ctx context.Context, p *project.Project, o DiffOrder, progress func(weir.Stage, weir.Progress)) (d IdentityDiff, err error) {
	d = IdentityDiff{Share: 1, Approximate: []string{}}
	if o.Share < 0 || o.Share > 1 {
		return d, weir.Errorf(weir.Invalid, "a sample is a share between 0 and 1").Then("--sample 0.1")
	}
	if o.Share > 0 && o.Share < 1 {
		d.Share = o.Share
		d.Approximate = append(d.Approximate, "profiles are those of a sample, with all records that share a rule's key or a block with one of them; counts are of these profiles",
			"what is joined through a record that is in no block with the sample is not seen")
	}
	run := weir.Run{Workspace: p.Name, ID: o.Run}
	r, _, err := h.rehearse(ctx, p, run)
	if err != nil {
		return d, err
	}
	defer func() {
		if e := r.end(ctx); err == nil {
			err = e
		}
	}()
	if o.Against != nil {
		was, err := h.baseline(ctx, p, o, run, progress)
		if err != nil {
			return d, err
		}
		r.before = was
	}
	sweep, err := r.sample(ctx, d.Share, progress)
	if err != nil {
		return d, err
	}
	defer func() {
		if e := sweep(); err == nil {
			err = e
		}
	}()
	if err := r.playAll(ctx, progress, weir.Resolve, weir.Unify, weir.Segment); err != nil {
		return d, err
	}
	return d, d.compare(ctx, r)
}

// baseline rehearses another project's identity.yaml, with all else as it is here.
func (h *House) baseline(ctx context.Context, p *project.Project, o DiffOrder, run weir.Run, progress func(weir.Stage, weir.Progress)) (files map[string][]weir.DataFile, err error) {
	other := *p
	other.Identity = o.Against.Identity
	run.ID += "-against"
	r, _, err := h.rehearse(ctx, &other, run)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := r.end(ctx); err == nil {
			err = e
		}
	}()
	return r.files, r.playAll(ctx, progress, weir.Resolve, weir.Unify, weir.Segment)
}

// compare reads what the rehearsal changed.
func (d *IdentityDiff) compare(ctx context.Context, r *rehearsal) error {
	pairs := []string{"identity.links", "identity.edges", "identity.models"}
	_, segmented := r.files["segment.memberships"]
	if segmented {
		pairs = append(pairs, "segment.memberships")
	}
	q, err := r.ask(ctx, pairs, "core.records")
	if err != nil {
		return err
	}
	defer q.close()
	c := contrast{asking: q, share: d.Share}
	for _, step := range []func() error{
		func() error { return c.counts(ctx, d) },
		func() error { return c.rates(ctx, d) },
		func() error { return c.largest(ctx, d) },
		func() error { return c.examples(ctx, d) },
		func() error { return c.models(ctx, d) },
		func() error {
			d.Segments = []SegmentResize{}
			if !segmented {
				return nil
			}
			d.Segments, err = c.segments(ctx)
			return err
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// contrast asks about links before and after.
type contrast struct {
	*asking
	share float64
}

// with begins a query over pair (each record that is in both, whether its profile
// is one that is looked at, before and after) and ours (of these, those looked at).
func (c *contrast) with() string {
	return `with pair as (select record_id, b.profile_id as was, a.profile_id as now, ` + sampledProfile("b.profile_id", c.share) + ` as looked
			from was.identity_links b join identity.links a using (record_id)),
		ours as (select * from pair where looked) `
}

func (c *contrast) counts(ctx context.Context, d *IdentityDiff) error {
	type sums struct {
		Records, Before, After, Moved, Merged, Split int64
	}
	row := fieldsJSON([2]string{"Records", "(select count(*) from ours)"}, [2]string{"Before", "(select count(distinct was) from ours)"},
		[2]string{"After", "(select count(distinct now) from ours)"}, [2]string{"Moved", "(select count(*) from ours where was <> now)"},
		[2]string{"Merged", "(select count(*) from (" + merged + "))"}, [2]string{"Split", "(select count(*) from (" + split + "))"})
	found, err := decoded[sums](ctx, c.asking, c.with()+"select "+row)
	if err != nil {
		return err
	}
	s := found[0]
	d.Records, d.Profiles, d.Moved, d.Merged, d.Split = s.Records, [2]int64{s.Before, s.After}, s.Moved, s.Merged, s.Split
	return nil
}

// Which profiles hold records of several, and whose records are in several.
const (
	merged = "select now as id from pair group by now having bool_or(looked) and count(distinct was) > 1"
	split  = "select was as id from pair group by was having bool_or(looked) and count(distinct now) > 1"
)

// rates counts, of the records looked at, those that any or one rule joins to
// another, by the edges before and after.
func (c *contrast) rates(ctx context.Context, d *IdentityDiff) error {
	joined := func(edges string) string {
		return "(select distinct rule, record_id from (select rule, unnest([left_record_id, right_record_id]) as record_id from " + edges + " where used))"
	}
	alone := func(side string) string {
		return "(select " + side + " from pair group by " + side + " having count(*) > 1)"
	}
	row := fieldsJSON([2]string{"kind", "kind"}, [2]string{"rule", "rule"}, [2]string{"before", "sum(b)"}, [2]string{"after", "sum(a)"},
		[2]string{"records", "any_value(n)"})
	var err error
	d.Rates, err = decoded[RateShift](ctx, c.asking, c.with()+`, of as (select o.*, r.kind from ours o join core.records r using (record_id)),
		found as (select kind, rule, 1 as b, 0 as a from of join `+joined("was.identity_edges")+` using (record_id)
			union all select kind, rule, 0, 1 from of join `+joined("identity.edges")+` using (record_id)
			union all select kind, '', 1, 0 from of where was in `+alone("was")+`
			union all select kind, '', 0, 1 from of where now in `+alone("now")+`),
		size as (select kind, count(*) as n from of group by kind)
		select `+row+` from found join size using (kind) group by kind, rule order by kind, rule`)
	return err
}

func (c *contrast) largest(ctx context.Context, d *IdentityDiff) error {
	row := fieldsJSON([2]string{"profile_id", "id"}, [2]string{"records", "n"})
	for i, side := range []string{"was", "now"} {
		var err error
		d.Largest[i], err = decoded[Large](ctx, c.asking, c.with()+"select "+row+" from (select "+side+" as id, count(*) as n from pair group by 1 having bool_or(looked) and count(*) > 1) order by n desc, id limit ?", largestShown)
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *contrast) examples(ctx context.Context, d *IdentityDiff) error {
	d.Examples = []DiffExample{}
	for _, x := range []struct{ change, ids, of, by string }{{"merged", merged, "now", "was"}, {"split", split, "was", "now"}} {
		type part struct {
			ID, Part string
			Size     int64
			Records  []string
		}
		row := fieldsJSON([2]string{"ID", x.of}, [2]string{"Part", x.by}, [2]string{"Size", "count(*)"}, [2]string{"Records", "list(record_id order by record_id)[1:5]"})
		found, err := decoded[part](ctx, c.asking, c.with()+"select "+row+" from pair where "+x.of+" in (select id from ("+x.ids+") order by id limit ?) group by "+x.of+", "+x.by+
			" order by "+x.of+", "+x.by, examplesShown)
		if err != nil {
			return err
		}
		for _, f := range found {
			if n := len(d.Examples); n == 0 || d.Examples[n-1].Change != x.change || d.Examples[n-1].Profile != f.ID {
				d.Examples = append(d.Examples, DiffExample{Change: x.change, Profile: f.ID})
			}
			e := &d.Examples[len(d.Examples)-1]
			e.Parts = append(e.Parts, DiffPart{Profile: f.Part, Size: f.Size, Records: f.Records[:min(len(f.Records), recordsShown)]})
		}
	}
	return nil
}

func (c *contrast) models(ctx context.Context, d *IdentityDiff) error {
	row := fieldsJSON([2]string{"kind", "kind"}, [2]string{"before", "coalesce(max(v) filter (side = 'b'), '')"}, [2]string{"after", "coalesce(max(v) filter (side = 'a'), '')"})
	found, err := decoded[LearnedModel](ctx, c.asking, "select "+row+` from (select kind, model_version as v, 'b' as side from was.identity_models where current
		union all select kind, model_version, 'a' from identity.models where current) group by kind order by kind`)
	d.Models = slices.DeleteFunc(found, func(m LearnedModel) bool { return m.Before == m.After })
	return err
}

// segments tells which would change. Of a sample, members are profiles of records
// that are looked at.
func (c *contrast) segments(ctx context.Context) ([]SegmentResize, error) {
	of := func(table, side string) string {
		if c.share >= 1 {
			return "(select segment, profile_id from " + table + ")"
		}
		return "(select segment, profile_id from " + table + " where profile_id in (select " + side + " from ours))"
	}
	row := fieldsJSON([2]string{"segment", "segment"}, [2]string{"before", "count(b.profile_id)"}, [2]string{"after", "count(a.profile_id)"},
		[2]string{"enter", "count(*) filter (b.profile_id is null)"}, [2]string{"exit", "count(*) filter (a.profile_id is null)"})
	found, err := decoded[SegmentResize](ctx, c.asking, c.with()+", b as "+of("was.segment_memberships", "was")+", a as "+of("segment.memberships", "now")+
		" select "+row+" from b full join a using (segment, profile_id) group by segment")
	found = slices.DeleteFunc(found, func(s SegmentResize) bool { return s.Enter+s.Exit == 0 })
	slices.SortFunc(found, func(a, b SegmentResize) int {
		return cmp.Or(cmp.Compare(b.Enter+b.Exit, a.Enter+a.Exit), strings.Compare(a.Segment, b.Segment))
	})
	return found, err
}
