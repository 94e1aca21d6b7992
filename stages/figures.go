package stages

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/decisions"
	"github.com/weir-cdp/weir/pipelines/resolve/explain"
	"github.com/weir-cdp/weir/project"
)

// MatchRate is how many of some records share a profile with another.
type MatchRate struct {
	Kind       string `json:"kind"`
	Source     string `json:"source,omitempty"` // "": all
	Rule       string `json:"rule,omitempty"`   // "": any; else those that the rule joins to another
	Records    int64  `json:"records"`
	Matched    int64  `json:"matched"`
	Unlinkable int64  `json:"unlinkable,omitempty"` // they have nothing to compare
}

// RunFigures is what one run of resolve made of the records.
type RunFigures struct {
	RunID    weir.RunID `json:"run_id"`
	At       string     `json:"at"`
	Records  int64      `json:"records"`
	Matched  int64      `json:"matched"`
	Profiles int64      `json:"profiles"`
	Largest  int64      `json:"largest"` // records of the largest profile
}

// LimitFigure is how a limit of identity.yaml fits the data.
type LimitFigure struct {
	Identifier string `json:"identifier"`
	Limit      int    `json:"limit"`
	Hard       bool   `json:"hard"`
	Refused    int64  `json:"refused"`      // edges that it refused
	Over       int64  `json:"over"`         // profiles that hold more
	Most       int64  `json:"most"`         // values of the worst
	Contra     int64  `json:"contradicted"` // records that by themselves hold more
	// Worst are the profiles with most values over it, without the values.
	Worst []Large `json:"worst"`
}

// figures fills what the last runs kept in identity.runs, and where limits and data
// contradict each other.
func (r *IdentityReport) figures(ctx context.Context, q *asking, p *project.Project, top int) error {
	row := fieldsJSON([2]string{"run_id", "run_id"}, [2]string{"at", moment("max(\"at\")")}, [2]string{"records", "sum(figure) filter (measure = 'records')::bigint"},
		[2]string{"matched", "sum(figure) filter (measure = 'matched')::bigint"}, [2]string{"profiles", "sum(figure) filter (measure = 'profiles')::bigint"},
		[2]string{"largest", "max(figure) filter (measure = 'largest')"})
	var err error
	r.Runs, err = decoded[RunFigures](ctx, q, "select "+row+" from identity.runs where source = '' and rule = '' group by run_id order by max(\"at\") desc, run_id desc limit ?", top)
	if err != nil || len(r.Runs) == 0 {
		return err
	}
	rows, err := list[weir.IdentityFigure](ctx, q, "identity.runs", "where run_id = ? order by kind, source, rule, measure", string(r.Runs[0].RunID))
	if err != nil {
		return err
	}
	r.rates(rows)
	last, _, err := q.last(ctx, weir.Resolve, "")
	if err != nil {
		return err
	}
	for name, n := range last.Counts {
		if reason, ok := strings.CutPrefix(name, "blocked_"); ok && n > 0 {
			r.Blocked[reason] = n
		}
	}
	return r.limits(ctx, q, p, rows, top)
}

// rates makes the match rates by source and by rule.
func (r *IdentityReport) rates(rows []weir.IdentityFigure) {
	type part struct{ kind, source, rule string }
	found := map[part]*MatchRate{}
	of := map[part]int64{} // records by kind and source
	for _, f := range rows {
		k := part{f.Kind, f.Source, f.Rule}
		if f.Measure == "records" {
			of[k] = f.Figure
		}
		if f.Measure != "matched" && f.Measure != "records" && f.Measure != "unlinkable" {
			continue
		}
		m := found[k]
		if m == nil {
			m = &MatchRate{Kind: f.Kind, Source: f.Source, Rule: f.Rule}
			found[k] = m
		}
		switch f.Measure {
		case "matched":
			m.Matched = f.Figure
		case "unlinkable":
			m.Unlinkable = f.Figure
		}
	}
	keys := slices.SortedFunc(maps.Keys(found), func(a, b part) int {
		return strings.Compare(a.kind+"\x00"+a.rule+"\x00"+a.source, b.kind+"\x00"+b.rule+"\x00"+b.source)
	})
	for _, k := range keys {
		m := *found[k]
		m.Records = of[part{k.kind, k.source, ""}]
		r.Rates = append(r.Rates, m)
	}
}

// limits tells where limits and data contradict each other.
func (r *IdentityReport) limits(ctx context.Context, q *asking, p *project.Project, rows []weir.IdentityFigure, top int) error {
	for _, def := range p.Identity {
		for _, name := range slices.Sorted(maps.Keys(def.Identifiers)) {
			rule := def.Identifiers[name]
			if rule.Limit == 0 {
				continue
			}
			l := LimitFigure{Identifier: name, Limit: rule.Limit, Hard: rule.Hard}
			for _, f := range rows {
				if f.Rule != name || f.Kind != string(def.Kind) {
					continue
				}
				switch f.Measure {
				case "limit_refused":
					l.Refused = f.Figure
				case "over_limit":
					l.Over = f.Figure
				case "over_limit_most":
					l.Most = f.Figure
				}
			}
			n, err := decoded[int64](ctx, q, "select count(*)::varchar from "+quarantineTable+" where stage = 'resolve' and field = ? and reason like 'one record holds more values%'", name)
			if err != nil {
				return err
			}
			l.Contra = n[0]
			if l.Worst, err = decoded[Large](ctx, q, "select "+fieldsJSON([2]string{"profile_id", "profile_id"}, [2]string{"records", "records"}, [2]string{"values", "len(identifiers[?])"})+
				" from core.profiles where kind = ? and len(identifiers[?]) > ? order by len(identifiers[?]) desc, profile_id limit ?",
				name, string(def.Kind), name, rule.Limit, name, top); err != nil {
				return err
			}
			r.Limits = append(r.Limits, l)
		}
	}
	return nil
}

// decisionsBetween lists the standing decisions that say something of a record of
// one side and a record of the other, or of two records that a path joins.
func (q *asking) decisionsBetween(ctx context.Context, from, to []string, e Evidence) ([]decisions.Decision, error) {
	all, err := q.decisions(ctx)
	if err != nil {
		return nil, err
	}
	together, apart := decisions.Settle(all)
	wanted := map[int]bool{}
	names := func(records, of []string) bool {
		return slices.ContainsFunc(records, func(r string) bool { return slices.Contains(of, r) })
	}
	between := func(a, b []string) {
		for _, t := range together {
			wanted[t.Decision] = wanted[t.Decision] || (names(t.Records, a) && names(t.Records, b))
		}
		for _, x := range apart {
			wanted[x.Decision] = wanted[x.Decision] || (names(x.Stays, a) && names(x.Moves, b)) || (names(x.Moves, a) && names(x.Stays, b))
		}
	}
	between(from, to)
	for _, h := range e.Path {
		if h.Edge.Rule == "linked" {
			between([]string{h.From}, []string{h.To})
		}
	}
	out := []decisions.Decision{}
	for i, d := range all {
		refused := slices.ContainsFunc(e.Path, func(h explain.Hop) bool { return h.Edge.RefusedBy == "do_not_link: "+d.ID })
		if wanted[i] || refused {
			out = append(out, d)
		}
	}
	return out, nil
}
