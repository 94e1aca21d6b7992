package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/policies/consents"
)

// This file finds whom the consent entries concern that came between a decision and its
// delivery. All else that the facts of a person are made of lies in tables that are as
// they were decided on; so whoever holds none of the addresses of which something else is
// said now has the facts that were decided on, and need not be described anew.

// describing are the tables that the facts of a person are made of, beside core.consents.
var describing = slices.Concat([]string{"core.profiles", "core.traits", "core.records", "identity.links", "segment.memberships"}, contactTables)

// mostArrived bounds the addresses that are kept; beyond, everybody counts as concerned.
const mostArrived = 100_000

// arrivals are the addresses of which core.consents says something else than when it was
// decided.
type arrivals struct {
	snapshot  int64 // of core.consents
	addresses map[consents.Address]bool
	everybody bool // there are too many, or it can't be told
}

// concerned are those of the profiles whom entries concern that came, changed or went
// since the decision; all of them where other tables changed too.
func (d *delivering) concerned(ctx context.Context, pins map[string]int64, current int64, profiles []string) ([]string, error) {
	for _, t := range describing {
		if d.sp.Decided == nil || pins[t] != d.sp.Decided[t] {
			return profiles, nil
		}
	}
	if d.arrived == nil || d.arrived.snapshot != current {
		a, err := d.arrivals(ctx, current)
		if err != nil {
			return nil, err
		}
		d.arrived = a
	}
	if d.arrived.everybody {
		return profiles, nil
	}
	sess, _, err := d.attached(ctx, []string{"core.profiles"}, pins)
	if err != nil {
		return nil, err
	}
	defer sess.Close()
	rows, err := sess.Query(ctx, "select profile_id, cast(to_json(identifiers) as varchar) from core.profiles where profile_id in ("+literals(profiles)+")")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known, touched := map[string]bool{}, map[string]bool{}
	for rows.Next() {
		id, _ := rows.Values()[0].(string)
		text, _ := rows.Values()[1].(string)
		var held weir.Identifiers
		if err := json.Unmarshal([]byte(text), &held); err != nil {
			return nil, weir.Errorf(weir.Internal, "read identifiers: %w", err)
		}
		known[id] = true
		for kind, values := range held {
			for _, v := range values {
				touched[id] = touched[id] || d.arrived.addresses[consents.Address{Kind: kind, Value: v}]
			}
		}
	}
	// Whom nobody knows any more is described too, which finds nobody: they don't go.
	return slices.DeleteFunc(slices.Clone(profiles), func(id string) bool { return known[id] && !touched[id] }), rows.Err()
}

// arrivals compares the rows of core.consents that were decided on with those of now.
// Files that both hold are not read.
func (d *delivering) arrivals(ctx context.Context, current int64) (*arrivals, error) {
	out := &arrivals{snapshot: current, addresses: map[consents.Address]bool{}}
	table, now, err := d.pinned(ctx, consentsTable, current)
	if err != nil {
		return nil, err
	}
	_, then, err := d.pinned(ctx, consentsTable, d.sp.Consents)
	if weir.CodeOf(err) == weir.NotFound { // its snapshot is gone
		out.everybody = true
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	sess, err := d.Session(ctx)
	if err != nil {
		return nil, err
	}
	defer sess.Close()
	was := table
	was.Name = wasName(consentsTable)
	if err := sess.Attach(ctx, table, weir.FilesWithout(now, then)); err != nil {
		return nil, err
	}
	if err := sess.Attach(ctx, was, weir.FilesWithout(then, now)); err != nil {
		return nil, err
	}
	rows, err := sess.Query(ctx, fmt.Sprintf(`select distinct identifier_kind, identifier_value from (
			(from %[1]s except all from %[2]s) union all (from %[2]s except all from %[1]s)) limit %[3]d`, consentsTable, was.Name, mostArrived+1))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return out, out.read(rows)
}

func (a *arrivals) read(rows *sql.Rows) error {
	for rows.Next() {
		kind, _ := rows.Values()[0].(string)
		value, _ := rows.Values()[1].(string)
		a.addresses[consents.Address{Kind: kind, Value: value}] = true
	}
	a.everybody = len(a.addresses) > mostArrived
	return rows.Err()
}
