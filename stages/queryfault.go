package stages

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// fits asks what columns the query gives, without asking for a row: what is wrong is
// told of the SQL as it was written, before it is asked for its columns' types.
func (a *answer) fits(ctx context.Context, sess *sql.Session) error {
	rows, err := sess.Query(ctx, a.within("select *")+" limit 0")
	if err != nil {
		return a.blame(err)
	}
	defer rows.Close()
	var gives []string
	for _, c := range rows.Columns() {
		gives = append(gives, strings.ToLower(c.Name))
	}
	wanted := []string{"profile_id"}
	for _, c := range a.query.Columns {
		wanted = append(wanted, c.Name)
	}
	for _, name := range wanted {
		if !slices.Contains(gives, name) {
			next := ""
			if near := connectors.Nearest(name, gives); near != "" {
				next = ", did you mean " + near + "?"
			}
			return mistakef("it gives no column %s%s: there are %s", name, next, strings.Join(gives, ", "))
		}
	}
	return nil
}

// within makes a statement of what is selected from the query, which sees the run's
// moment. The query's SQL begins a line.
func (a *answer) within(selects string) string {
	return fmt.Sprintf("with %s as (select %s::timestamptz as now) %s from %s", runName,
		sql.QuoteText(a.run.Now.UTC().Format(time.RFC3339Nano)), selects, sql.InParentheses(a.query.SQL))
}

// pointer is how DuckDB shows where a mistake is.
var pointer = regexp.MustCompile(`(?s)\s*LINE (\d+):.*$`)

// blame tells the query's own mistakes from those of the store. What it says of the
// place is of the SQL as it was written, not of the statement around it.
func (a *answer) blame(err error) error {
	if code := weir.CodeOf(err); code != weir.Invalid && code != weir.Denied {
		return err
	}
	said := err.Error()
	found := pointer.FindStringSubmatchIndex(said)
	if found == nil {
		return mistakef("%s", said)
	}
	line, _ := strconv.Atoi(said[found[2]:found[3]])
	what := strings.Join(strings.Fields(said[:found[0]]), " ")
	lines := strings.Split(sql.InParentheses(a.query.SQL), "\n")
	if line < 2 || line >= len(lines) { // not between the brackets
		return mistakef("%s", what)
	}
	return mistakef("%s, in line %d of its sql: %s", what, line-1, strings.TrimSpace(lines[line-1]))
}
