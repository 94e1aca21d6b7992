package stages

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/project"
)

// This file is contact pressure: at most so many deliveries of a channel to a
// profile in a window.
//
// A delivery is an addition, and counts once however often it was tried: one that
// went through or may have (status delivered, unknown). Updates of what a
// destination holds, and removals, are none. Deliveries to a profile that was
// merged away are those of the profile that took over. What this run will send
// counts as it is decided, one activation after the other in the order of their
// priority; so neither the order of rows nor that of destinations matters. A row that
// a destination refused is not sent again as it is, so it takes no room.

// pressureTables are those that pressureQueries read, beside core.profiles.
var pressureTables = []string{"activation.deliveries", "identity.merges"}

// pressureQueries make the table sent: profile_id, limit_number (the place in
// contact.yaml), deliveries. There is no later end to a window: what a run sent
// after its now was sent all the same.
func pressureQueries(p *project.Project, have map[string]schema.Table, now time.Time) ([]string, error) {
	loc, err := time.LoadLocation(p.Timezone)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "unknown time zone %q", p.Timezone)
	}
	var earliest time.Time
	var counted []string
	for i, limit := range p.Contact.Pressure {
		w, err := timeline.CompileWindow(limit.Within, limit.Window, loc)
		if err != nil {
			return nil, weir.Errorf(weir.Invalid, "contact pressure: %w", err).At("contact.yaml")
		}
		from := w.At(now).From
		if i == 0 || from.Before(earliest) {
			earliest = from
		}
		of := ""
		if limit.Channel != "" {
			of = " and channel = " + sql.QuoteText(limit.Channel)
		}
		counted = append(counted, fmt.Sprintf(`select profile_id, %d as limit_number, delivery_id from contacted where "at" >= %s%s`, i, instantSQL(from), of))
	}
	exempt, channel := []string{}, "case activation"
	for _, a := range p.Activations {
		if a.Pressure == weir.PressureExempt {
			exempt = append(exempt, a.Name)
		}
		channel += " when " + sql.QuoteText(a.Name) + " then " + sql.QuoteText(a.Channel)
	}
	channel += " when '' then '' else '' end"
	if _, told := have["activation.deliveries"].Column("channel"); told { // rows of an older version tell none
		channel = "coalesce(nullif(channel, ''), " + channel + ")"
	}
	return []string{
		fmt.Sprintf(`create table sends as select profile_id, delivery_id, "at", %s as channel from activation.deliveries
			where op = %s and status in (%s) and "at" >= %s and activation not in (%s)`,
			channel, sql.QuoteText(string(weir.Add)), literals([]string{string(connectors.Delivered), Unknown}), instantSQL(earliest), literals(exempt)),
		`create table took_over as with recursive latest as (
				select from_profile_id, arg_max(to_profile_id, ("at", run_id)) as to_profile_id from identity.merges
				where change in ('merge', 'redirect') and from_profile_id not in (select profile_id from core.profiles) group by from_profile_id),
			hop(id, holder, n) as (
				select distinct profile_id, profile_id, 0 from sends where profile_id not in (select profile_id from core.profiles)
				union all select h.id, l.to_profile_id, h.n + 1 from hop h join latest l on l.from_profile_id = h.holder where h.n < 100)
			select id, arg_max(holder, n) as holder from hop group by id`,
		`create table contacted as select coalesce(t.holder, s.profile_id) as profile_id, s.delivery_id, s."at", s.channel
			from sends s left join took_over t on t.id = s.profile_id`,
		`create table sent as select profile_id, limit_number, count(distinct delivery_id) as deliveries from (` + strings.Join(counted, " union all ") + `)
			semi join considered using (profile_id) group by profile_id, limit_number`,
		fmt.Sprintf(`create table refused as select profile_id, activation, delivered_key, checksum from activation.deliveries
			where (activation, profile_id) in (select (activation, profile_id) from activation.deliveries where status = %[1]s)
			qualify row_number() over (partition by activation, profile_id order by sequence desc, "at" desc, (status = %[2]s) desc, delivery_id) = 1
				and status = %[1]s and op = %[3]s`, sql.QuoteText(string(connectors.Rejected)), sql.QuoteText(Redriven), sql.QuoteText(string(weir.Add))),
	}, nil
}

func instantSQL(t time.Time) string {
	return sql.QuoteText(t.UTC().Format(time.RFC3339Nano)) + "::timestamptz"
}

// refusals reads what destinations refused last, by activation: key and checksum.
func (m *merge) refusals(texts []string) map[string][2]string {
	if len(texts) == 0 {
		return nil
	}
	out := map[string][2]string{}
	for _, text := range texts {
		var row [3]string
		m.decode(text, &row)
		out[row[0]] = [2]string{row[1], row[2]}
	}
	return out
}

// numbered reads "place count" into a slice of n places; nil if there are none.
func (m *merge) numbered(texts []string, n int) []int64 {
	if n == 0 {
		return nil
	}
	out := make([]int64, n)
	for _, text := range texts {
		place, count, _ := strings.Cut(text, " ")
		at, err := strconv.Atoi(place)
		if err == nil && at < n {
			out[at], err = strconv.ParseInt(count, 10, 64)
		}
		if err != nil && m.err == nil {
			m.err = weir.Errorf(weir.Internal, "read audience: %w", err)
		}
	}
	return out
}

// saysLimit names a limit: "email: at most 2 in 7d".
func saysLimit(p weir.PressureDef) string {
	window := "during " + windowDuring(p.Window)
	switch {
	case p.Window == nil && p.Within%(24*time.Hour) == 0:
		window = fmt.Sprintf("in %dd", p.Within/(24*time.Hour))
	case p.Window == nil:
		window = "in " + strings.TrimSuffix(strings.TrimSuffix(p.Within.String(), "0s"), "0m")
	case p.Window.Within != "":
		window = "in " + p.Window.Within
	}
	return fmt.Sprintf("%s: at most %d %s", cmp.Or(p.Channel, "all channels"), p.AtMost, window)
}

func windowDuring(w *weir.Window) string {
	if w == nil {
		return ""
	}
	return w.During
}

// byPriority orders activations: those that contact.yaml names first, then by name.
func byPriority(p *project.Project, all []*decidingFor) []*decidingFor {
	place := func(a *decidingFor) int {
		if i := slices.Index(p.Contact.Priority, a.def.Name); i >= 0 {
			return i
		}
		return len(p.Contact.Priority)
	}
	return slices.SortedFunc(slices.Values(all), func(a, b *decidingFor) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a.def.Name, b.def.Name))
	})
}
