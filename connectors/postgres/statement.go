package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

// statement is what one row does to the table. Values go as text, so that the
// server reads them as the columns' types.
type statement struct {
	sql    string
	values [][]byte
}

// statement writes the row's insert-or-update, or its delete. Its error is of
// the configuration: a column that is missing is missing for every row.
func (d *destination) statement(r permit.Row) (statement, error) {
	key, table := pgx.Identifier{d.key}.Sanitize(), d.rel.sql()
	s := statement{values: [][]byte{[]byte(r.Key)}}
	sequence := pgx.Identifier{d.sequence}.Sanitize()
	if r.Op == weir.Remove {
		s.sql = "delete from " + table + " where " + key + " = $1"
		if d.sequence != "" {
			s.values = append(s.values, strconv.AppendInt(nil, r.Sequence, 10))
			s.sql += " and (" + sequence + " is null or " + sequence + " <= $2)"
		}
		return s, nil
	}
	names, marks, sets := []string{key}, []string{"$1"}, []string(nil)
	add := func(column string, value []byte) {
		s.values = append(s.values, value)
		names, marks = append(names, column), append(marks, "$"+strconv.Itoa(len(s.values)))
		sets = append(sets, column+" = excluded."+column)
	}
	for _, f := range r.Fields {
		column := f.Name
		if c, ok := d.columns[f.Name]; ok {
			column = c
		}
		if column == d.key {
			continue
		}
		if a, ok := d.rel.column(column); !ok || a.generate || column == d.sequence {
			return s, weir.Errorf(weir.Invalid, "there is no column %q to write for field %s", column, f.Name).At(d.rel.String()).
				Then("add it to the table, or name the right one in columns")
		}
		add(pgx.Identifier{column}.Sanitize(), valueText(f.Value))
	}
	if d.sequence != "" {
		add(sequence, strconv.AppendInt(nil, r.Sequence, 10))
	}
	s.sql = fmt.Sprintf("insert into %s as t (%s) values (%s) on conflict (%s) do ", table, strings.Join(names, ", "), strings.Join(marks, ", "), key)
	if len(sets) == 0 {
		s.sql += "nothing"
		return s, nil
	}
	s.sql += "update set " + strings.Join(sets, ", ")
	if d.sequence != "" {
		s.sql += fmt.Sprintf(" where t.%s is null or t.%s <= excluded.%s", sequence, sequence, sequence)
	}
	return s, nil
}

// valueText is a value as the server reads it; nil is null.
func valueText(value any) []byte {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		return append([]byte{}, v...)
	case permit.Decimal:
		return []byte(v)
	case int64:
		return strconv.AppendInt(nil, v, 10)
	case bool:
		return strconv.AppendBool(nil, v)
	case time.Time:
		return []byte(v.UTC().Format("2006-01-02 15:04:05.999999Z07:00"))
	}
	return fmt.Append(nil, value)
}

// refusesRow is of errors about a value or a constraint: another row may pass.
func refusesRow(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return slices.Contains([]string{"22", "23", "44", "P0"}, pg.Code[:min(2, len(pg.Code))])
}

// reply is the server's message without values. The rows are all of the batch: a
// trigger may name another row than the one that it refuses.
func reply(err error, mask *connectors.Mask) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return "refused"
	}
	text := mask.Text(message(pg))
	if pg.ColumnName != "" && !strings.Contains(text, pg.ColumnName) {
		text += " in column " + pg.ColumnName
	}
	text = strings.ToValidUTF8(text[:min(len(text), 180)], "")
	return text + " (SQLSTATE " + pg.Code + ")"
}

// withoutValues takes the rows' values out of an error that is passed on: what ends
// a delivery is told by logs and workflows, which hold no personal value.
func withoutValues(err error, rows []permit.Row) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		pg.Message = connectors.NewMask(rows).Text(message(pg))
	}
	return err
}
