package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/weir-cdp/weir"
)

// position is how far an incremental stream is read. It is the plan's Cursor.
type position struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	// After is the cursor's greatest finite value, as PostgreSQL writes it; "" if
	// there was none.
	After string `json:"after"`
	// Xmin is the snapshot's: every transaction below it had ended.
	Xmin uint64 `json:"xmin"`
}

// Transaction ids are compared modulo 2^32, so positions must not get too old.
const (
	renewAge = 1 << 30 // in transactions: the position is written anew though nothing changed
	lostAge  = 1 << 31 // everything is read again
)

func parsePosition(s string) (position, bool) {
	var p position
	return p, s != "" && json.Unmarshal([]byte(s), &p) == nil
}

func (p position) String() string {
	b, _ := json.Marshal(p) // of texts and a number
	return string(b)
}

// cursorTypes can be cursors, with the name of the type and a condition for
// values that are no point to go on from. Text is none: it could be personal.
var cursorTypes = map[uint32]struct{ name, endless string }{
	pgtype.Int2OID: {"int2", "false"}, pgtype.Int4OID: {"int4", "false"}, pgtype.Int8OID: {"int8", "false"},
	pgtype.NumericOID:   {"numeric", "%s::text in ('NaN', 'Infinity', '-Infinity')"},
	pgtype.DateOID:      {"date", "not isfinite(%s)"},
	pgtype.TimestampOID: {"timestamp", "not isfinite(%s)"}, pgtype.TimestamptzOID: {"timestamptz", "not isfinite(%s)"},
	pgtype.UUIDOID: {"uuid", "false"},
}

// cursor writes the conditions of an incremental read.
type cursor struct {
	column  string // quoted
	typ     string
	endless string
	late    bool // rows have an xmin, and it is wanted
}

func newCursor(rel *relation, name string, late bool) (cursor, error) {
	if name == "" {
		return cursor{}, weir.Errorf(weir.Invalid, "incremental sync needs a cursor").At(rel.String()).
			Then("set sync: {mode: incremental, cursor: updated_at}, or mode full")
	}
	a, ok := rel.column(name)
	if !ok {
		return cursor{}, noColumn(rel, name)
	}
	t, ok := cursorTypes[a.typ]
	if !ok {
		return cursor{}, weir.Errorf(weir.Invalid, "column %s of type %s can't be a cursor", name, a.typname).At(rel.String()).
			Then("use an integer, numeric, date, timestamp or uuid column, or mode full")
	}
	c := cursor{column: pgx.Identifier{name}.Sanitize(), typ: t.name, late: late && (rel.stored() || rel.kind == "p")}
	c.endless = strings.ReplaceAll(t.endless, "%s", c.column)
	return c, nil
}

// now is the position of a transaction's snapshot, and the next transaction's id.
func (c cursor) now(ctx context.Context, conn *pgx.Conn, rel *relation, name string) (position, uint64, error) {
	p := position{Table: rel.String(), Column: name}
	var xmin, xmax int64
	err := conn.QueryRow(ctx, "select txid_snapshot_xmin(txid_current_snapshot()), txid_snapshot_xmax(txid_current_snapshot())").Scan(&xmin, &xmax)
	if err != nil {
		return p, 0, err
	}
	p.Xmin = uint64(xmin)
	err = conn.QueryRow(ctx, fmt.Sprintf("select %s::text from %s t where %s is not null and not (%s) order by t.%s desc limit 1", // without t, by the text
		c.column, rel.sql(), c.column, c.endless, c.column)).Scan(&p.After)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return p, uint64(xmax), err
}

// first is the condition of a first read: all up to a position.
func (c cursor) first(until position) string {
	if until.After == "" {
		return "true"
	}
	return fmt.Sprintf("(%s > %s) is not true or %s", c.column, c.literal(until.After), c.endless)
}

// between is the condition of the rows that came since one position, up to
// another.
func (c cursor) between(since, until position) string {
	if until.After == "" {
		if c.late {
			return newer(since)
		}
		return "true"
	}
	upTo := fmt.Sprintf("%s <= %s", c.column, c.literal(until.After))
	if !c.late {
		// the last value again: more rows may have it now
		if since.After != "" {
			upTo += fmt.Sprintf(" and %s >= %s", c.column, c.literal(since.After))
		}
		return fmt.Sprintf("%s or %s is null or %s", upTo, c.column, c.endless)
	}
	if since.After != "" {
		upTo += fmt.Sprintf(" and %s > %s", c.column, c.literal(since.After))
	}
	return fmt.Sprintf("%s or %s and ((%s > %s) is not true or %s)", upTo, newer(since), c.column, c.literal(until.After), c.endless)
}

// newer is the condition of row versions that a position's snapshot may not have
// seen: those of transactions not below its xmin. Both bounds are needed, since
// frozen rows keep an xmin of long ago, which is in the future half of the time.
func newer(p position) string {
	x := p.Xmin & 0xffffffff
	if x < 3 { // no transaction has these
		x = 3
	}
	return "age(xmin) between 0 and age('" + strconv.FormatUint(x, 10) + "'::xid)"
}

func (c cursor) literal(v string) string { return quote(v) + "::" + c.typ }

// quote makes an SQL string; standard_conforming_strings is on.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
