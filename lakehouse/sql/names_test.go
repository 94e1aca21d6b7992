package sql_test

import (
	"slices"
	"testing"

	"github.com/weir-cdp/weir"
)

func TestNames(t *testing.T) {
	t.Parallel()
	session := sessionWithRecords(t)
	for q, want := range map[string][2][]string{
		"select 1": {},
		`with r as (select 1 as n) select (select max(id) from raw."we.ird") from core.events e, r semi join Core.Events using (n)`: {{"Core.Events", "core.events", "raw.we.ird"}},
		"from core.a where happened > now() - interval 1 day":                                                                       {{"core.a"}, {"now"}},
		"select current_date, current_timestamp, random(), today()":                                                                 {nil, {"current_date", "current_timestamp", "random", "today"}},
		"select uuid() union all (select x from (from s.t) where uuidv7()='')":                                                      {{"s.t"}, {"uuid", "uuidv7"}},
	} {
		got, err := session.Names(t.Context(), q)
		if err != nil || !slices.Equal(got.Tables, want[0]) || !slices.Equal(got.Unsteady, want[1]) {
			t.Errorf("%s: %+v, %v; want %v", q, got, err, want)
		}
	}
	for q, want := range map[string]weir.Code{"select": weir.Invalid, "drop table x": weir.Denied, "select 1; select 2": weir.Denied, "from read_csv('/etc/passwd')": weir.Denied} {
		if _, err := session.Names(t.Context(), q); weir.CodeOf(err) != want {
			t.Errorf("%s: %v; want %s", q, err, want)
		}
	}
}
