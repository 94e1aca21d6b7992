package weirtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Query asks the tables.
func (p *Project) Query(t testing.TB, sql string) []map[string]any {
	t.Helper()
	r := p.Must(t, Done, "query", "--json", sql)
	var rows []map[string]any
	dec := json.NewDecoder(bytes.NewReader([]byte(r.Stdout)))
	dec.UseNumber()
	if err := dec.Decode(&rows); err != nil {
		t.Fatalf("query: %v\n%s", err, r.Stdout)
	}
	return rows
}

// Numbers asks for several single numbers at once, by name.
func (p *Project) Numbers(t testing.TB, sql map[string]string) map[string]int64 {
	t.Helper()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(sql)) {
		parts = append(parts, fmt.Sprintf("(%s)::bigint as %q", sql[name], name))
	}
	rows := p.Query(t, "select "+strings.Join(parts, ",\n"))
	out := map[string]int64{}
	for name, v := range rows[0] {
		n, ok := v.(json.Number)
		if !ok {
			t.Fatalf("%s gives %v, no number", name, v)
		}
		i, err := n.Int64()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = i
	}
	return out
}

// tables lists all but ops, which tells of runs, not of people.
const tables = `select distinct table_schema || '.' || table_name as name from information_schema.tables
	where table_schema not in ('main', 'ops') order by 1`

// compared are the columns of a table that equal tables agree in. Not compared: ids
// made from the run's (decision_id), hashes keyed by a secret that each workspace
// draws (value_hash), what random salts make (of the ledger of consents), and when a
// destination really answered.
func compared(table string) string {
	left := `'run_id', 'decision_id', 'value_hash', 'delivered_at'`
	if table == "activation.deliveries" {
		left += `, 'at'`
	}
	if table == "consent.ledger" || table == "consent.batches" {
		left += `, 'entry', 'supersedes', 'who', 'statement', 'sealed', 'commitment', 'leaf_hash', 'root', 'previous', 'chain', 'at'`
	}
	return `columns(c -> c not in (` + left + `) and not ends_with(c, '_committed_at'))`
}

// Fingerprints gives a digest of each table's rows, in any order, without what
// may differ between runs that did the same.
func (p *Project) Fingerprints(t testing.TB, leaveOut ...string) map[string]string {
	t.Helper()
	var parts []string
	for _, row := range p.Query(t, tables) {
		name := row["name"].(string)
		if slices.ContainsFunc(leaveOut, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		parts = append(parts, fmt.Sprintf("select '%s' as name, count(*) || ' ' || coalesce(md5(string_agg(r::varchar, chr(10) order by r::varchar)), '') as digest from (select %s from %s) r", name, compared(name), name))
	}
	out := map[string]string{}
	for _, row := range p.Query(t, strings.Join(parts, "\nunion all ")) {
		out[row["name"].(string)] = row["digest"].(string)
	}
	return out
}

// SameTables checks that two projects hold the same.
func SameTables(t testing.TB, want, got *Project, leaveOut ...string) {
	t.Helper()
	a, b := want.Fingerprints(t, leaveOut...), got.Fingerprints(t, leaveOut...)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if a[name] == b[name] {
			continue
		}
		t.Errorf("%s differs: %s, not %s%s", name, b[name], a[name], difference(t, name, want, got))
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s is there too", name)
		}
	}
}

// difference shows the first rows that only one of two has. The rows are
// generated, nobody's.
func difference(t testing.TB, table string, want, got *Project) string {
	sql := fmt.Sprintf("select r::varchar as row from (select %s from %s) r order by 1", compared(table), table)
	rows := func(p *Project) map[string]int {
		out := map[string]int{}
		for _, row := range p.Query(t, sql) {
			out[row["row"].(string)]++
		}
		return out
	}
	a, b := rows(want), rows(got)
	var s strings.Builder
	tell := func(sign string, x, y map[string]int) {
		n := 0
		for _, row := range slices.Sorted(maps.Keys(x)) {
			if x[row] != y[row] {
				if n++; n <= 3 {
					fmt.Fprintf(&s, "\n%s %s", sign, row)
				}
			}
		}
	}
	tell("-", a, b)
	tell("+", b, a)
	return s.String()
}
