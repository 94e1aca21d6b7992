package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
)

// results prints what the tables say after a run.
func (d *driver) results(ctx context.Context) error {
	type reason struct {
		Stage, Source, Stream, Field, Reason string
		Withheld                             bool
		N                                    int64
	}
	reasons, err := query[reason](ctx, d, "select stage, source, stream, field, reason, withheld, count(*) as n from ops.quarantine group by all order by n desc, reason, source, stream, field limit 8")
	if err != nil {
		return err
	}
	heading("   Quarantined, and why")
	for _, r := range reasons {
		what := "value dropped"
		if r.Withheld {
			what = "row withheld"
		}
		fmt.Printf("   %6d  %-8s %-20s %-24s %s (%s)\n", r.N, r.Stage, r.Source+"/"+r.Stream, r.Field, r.Reason, what)
	}
	if err := d.matching(ctx); err != nil {
		return err
	}
	type named struct {
		Name, Detail string
		N            int64
	}
	for _, part := range []struct{ title, sql string }{
		{"Segments", "select segment as name, '' as detail, count(*) as n from segment.memberships group by all order by name"},
		{"Decisions by reason", `select d.activation as name, case when d.allow then 'allowed: ' || c.basis else 'denied: ' || array_to_string(c.reasons, ', ') end as detail, count(*) as n
			from consent.decisions d join consent.classes c using (class_id) group by all order by name, n desc, detail`},
		{"Deliveries by destination", "select destination as name, op || ' ' || status as detail, count(*) as n from activation.deliveries group by all order by all"},
	} {
		rows, err := query[named](ctx, d, part.sql)
		if err != nil {
			return err
		}
		heading("   " + part.title)
		for _, r := range rows {
			fmt.Printf("   %6d  %-14s %s\n", r.N, r.Name, r.Detail)
		}
	}
	return nil
}

// matching compares the links with the truth, pair by pair.
func (d *driver) matching(ctx context.Context) error {
	f, err := os.Open(filepath.Join(d.dir, "truth.csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	person := map[string]string{}
	for _, r := range rows[1:] {
		person[r[0]] = r[1]
	}
	type link struct {
		Record  string `json:"record_id"`
		Profile string `json:"profile_id"`
	}
	links, err := query[link](ctx, d, "select record_id, profile_id from identity.links")
	if err != nil {
		return err
	}
	type cell struct{ person, profile string }
	both, byPerson, byProfile := map[cell]int{}, map[string]int{}, map[string]int{}
	for _, l := range links {
		p, known := person[l.Record]
		if !known {
			return fmt.Errorf("the truth does not know record %s", l.Record)
		}
		both[cell{p, l.Profile}]++
		byPerson[p]++
		byProfile[l.Profile]++
	}
	right, claimed, actual := 0, 0, 0
	for _, n := range both {
		right += pairs(n)
	}
	for _, n := range byProfile {
		claimed += pairs(n)
	}
	for _, n := range byPerson {
		actual += pairs(n)
	}
	heading("   Matching against the truth")
	fmt.Printf("   %d records, %d profiles of %d people: precision %.4f, recall %.4f (pairs of records)\n",
		len(links), len(byProfile), len(byPerson), ratio(right, claimed), ratio(right, actual))
	return nil
}

func pairs(n int) int { return n * (n - 1) / 2 }

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}
