package stages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/pipelines/segment/value"
	"github.com/weir-cdp/weir/project"
)

// traitsTable is what the segment stage writes of traits; what queries answer has
// its columns.
const traitsTable = "core.traits"

// queriesScope is where answers are written: named by their content and part of no
// commit, they are swept as orphans once no run is young enough to read them.
const queriesScope = "queries"

// runName is the table of one row by which a query learns the run's moment.
const runName = "run"

// answers asks the queries of traits over the tables that are pinned, and writes
// their rows as rows of core.traits. A query that fails, asks for too long or gives
// a profile twice is unanswered: its last answers stay, so that a mistake empties no
// field at a destination, and the others go on (invariant 8). Errors are of the lake
// alone.
func (in *inputs) answers(ctx context.Context, p *project.Project) (files []weir.DataFile, unanswered []segments.Unanswered, err error) {
	queries := queriesOf(p.Traits)
	if len(queries) == 0 {
		return nil, nil, nil
	}
	table, err := in.house.Lake.Ensure(ctx, schema.Named(traitsTable))
	if err != nil {
		return nil, nil, err
	}
	zone, err := value.Location(p.Timezone, time.UTC)
	if err != nil {
		return nil, nil, err
	}
	for _, q := range queries {
		a := &answer{inputs: in, query: q, table: table, zone: zone}
		found, err := a.ask(ctx)
		var refused *mistake
		switch {
		case errors.As(err, &refused):
			if found, err = a.last(ctx); err != nil {
				return nil, nil, err
			}
			unanswered = append(unanswered, segments.Unanswered{Query: q, Reason: refused.reason, Kept: len(found) > 0})
		case err != nil:
			return nil, nil, err
		}
		files = append(files, found...)
	}
	return files, unanswered, nil
}

// queriesOf lists the queries of traits, each once, by their names.
func queriesOf(traits []weir.TraitDef) []*weir.QueryDef {
	var out []*weir.QueryDef
	for _, t := range traits {
		if t.Query != nil && !slices.ContainsFunc(out, func(q *weir.QueryDef) bool { return q.Trait == t.Query.Trait }) {
			out = append(out, t.Query)
		}
	}
	slices.SortFunc(out, func(a, b *weir.QueryDef) int { return strings.Compare(a.Trait, b.Trait) })
	return out
}

// mistake is a query's own fault.
type mistake struct {
	reason string
	early  bool // a run may mend it: a table that is not written yet
}

func (u *mistake) Error() string { return u.reason }

func mistakef(format string, args ...any) error {
	return &mistake{reason: fmt.Sprintf(format, args...)}
}

// answer is one query being asked.
type answer struct {
	*inputs
	query *weir.QueryDef
	table schema.Table
	zone  *time.Location
}

func (a *answer) ask(ctx context.Context) ([]weir.DataFile, error) {
	sess, err := a.house.Analyst(ctx)
	if err != nil {
		return nil, err
	}
	defer sess.Close()
	if err := a.attach(ctx, sess); err != nil {
		return nil, err
	}
	limit := a.query.Timeout
	if limit == 0 {
		limit = weir.QueryTimeout
	}
	within, cancel := context.WithTimeoutCause(ctx, limit, mistakef("it took longer than %s: give it a timeout, or less to do", limit))
	defer cancel()
	files, err := a.rows(within, sess)
	if ctx.Err() != nil {
		return nil, ctx.Err() // the run's end, not the query's
	}
	if within.Err() != nil {
		return nil, context.Cause(within)
	}
	return files, err
}

// last writes what the query gave the last time: the pinned rows of its traits.
func (a *answer) last(ctx context.Context) ([]weir.DataFile, error) {
	snapshot := a.pins[traitsTable]
	if snapshot == 0 {
		return nil, nil
	}
	pinned, err := a.house.Lake.Files(ctx, traitsTable, snapshot)
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, c := range a.query.Columns {
		mine[a.query.ColumnTrait(c.Name)] = true
	}
	w, err := rowfile.NewTableWriter[weir.TraitValue](ctx, a.house.store(), a.table, queriesScope)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	for row, err := range rowfile.Scan[weir.TraitValue](ctx, a.house.store(), a.table, pinned) {
		if err == nil && mine[row.Trait] {
			err = w.Write(row)
		}
		if err != nil {
			return nil, err
		}
	}
	return w.Close()
}

// unansweredTexts tells of them as a stage does of parts that can't be used.
func unansweredTexts(all []segments.Unanswered) (out []string) {
	for _, u := range all {
		next := ""
		if u.Kept {
			next = "; its last answers stay"
		}
		out = append(out, fmt.Sprintf("trait %s (%s): %s%s", u.Query.Trait, u.Query.At, u.Reason, next))
	}
	return out
}

// attach gives the query the tables that it names, and no others: each may have to
// be fetched.
func (a *answer) attach(ctx context.Context, sess *sql.Session) error {
	names, err := sess.Names(ctx, a.query.SQL)
	if err != nil {
		return a.blame(err)
	}
	if len(names.Unsteady) > 0 {
		return mistakef("%s gives another value each time, so a run could not be repeated: write run.now, from the table run", strings.Join(names.Unsteady, ", "))
	}
	for _, name := range names.Tables {
		if name == traitsTable || strings.HasPrefix(name, "segment.") {
			return mistakef("%s is written by the stage that asks: a query can't read it", name)
		}
		if a.pins[name] == 0 && !slices.ContainsFunc(fixedTables(), func(t schema.Table) bool { return t.Name == name }) {
			return &mistake{reason: "there is no table " + name + " that a run has written", early: true}
		}
		table, files, err := a.house.pinned(ctx, name, a.pins[name])
		if played, ok := a.files[name]; ok {
			files = played
		}
		if err == nil {
			err = sess.Attach(ctx, table, files)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rows writes what the query finds, by profile.
func (a *answer) rows(ctx context.Context, sess *sql.Session) ([]weir.DataFile, error) {
	if err := a.fits(ctx, sess); err != nil {
		return nil, err
	}
	rows, err := sess.Query(ctx, a.statement())
	if err != nil {
		return nil, a.blame(err)
	}
	defer rows.Close()
	w, err := rowfile.NewTableWriter[weir.TraitValue](ctx, a.house.store(), a.table, queriesScope)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	last := ""
	for rows.Next() {
		v := rows.Values()
		id, _ := v[0].(string)
		if id == "" {
			return nil, mistakef("a row has no profile_id: leave such rows out")
		}
		if id == last {
			return nil, mistakef("profile %s has several rows: group by profile_id", id)
		}
		last = id
		for i, c := range a.query.Columns {
			row, known := a.read(id, c, v[i+1])
			if !known {
				continue
			}
			if err := w.Write(row); err != nil {
				return nil, err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, a.blame(err)
	}
	return w.Close()
}

// statement asks for the declared columns as texts of their declared types, by
// profile. The query is a subquery of it, and sees the run's moment.
func (a *answer) statement() string {
	columns := []string{"profile_id::varchar"}
	for _, c := range a.query.Columns {
		name := sql.QuoteName(c.Name)
		switch c.Type {
		case weir.Number:
			name += "::decimal(38,9)"
		case weir.Date:
			name += "::date"
		case weir.Instant:
			name = "strftime(" + name + "::timestamptz at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
		case weir.Boolean:
			name += "::boolean"
		}
		columns = append(columns, name+"::varchar")
	}
	return a.within("select "+strings.Join(columns, ", ")) + " order by 1"
}

func (a *answer) read(profile string, c weir.QueryColumn, v any) (weir.TraitValue, bool) {
	row := weir.TraitValue{ProfileID: profile, Trait: a.query.ColumnTrait(c.Name)}
	text, _ := v.(string)
	read := value.Read(text, c.Type, a.zone)
	if at, ok := read.Time(); ok {
		row.Time = at.UTC()
	} else if n, ok := read.Number(); ok {
		row.Number = n.String()
	} else {
		row.Text = read.String()
	}
	return row, read.Known()
}
