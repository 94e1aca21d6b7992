package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// relation is a table as a transaction sees it.
type relation struct {
	oid          uint32
	schema, name string
	kind         string // r table, p partitioned, v view, m materialised, f foreign
	pages        int64  // as of the last vacuum or analyse, or of its files
	readable     bool
	columns      []attribute
	key          []string // primary key
}

// attribute is a column; a domain counts as its base type.
type attribute struct {
	name     string
	typ      uint32
	typmod   int32
	typname  string
	typtype  string // b base, e enum, c composite, r range, m multirange
	element  uint32 // of an array
	readable bool
	generate bool // its value is the server's to make
}

// String is the table's name as a person writes it.
func (r *relation) String() string { return r.schema + "." + r.name }

func (r *relation) sql() string { return pgx.Identifier{r.schema, r.name}.Sanitize() }

func (r *relation) column(name string) (attribute, bool) {
	i := slices.IndexFunc(r.columns, func(a attribute) bool { return a.name == name })
	if i < 0 {
		return attribute{}, false
	}
	return r.columns[i], true
}

// stored is whether rows have a place (ctid) and a version (xmin) of their own.
func (r *relation) stored() bool { return r.kind == "r" || r.kind == "m" }

const relationQuery = `select c.oid, n.nspname, c.relname, c.relkind::text,
	case when c.relkind in ('r', 'm') then pg_relation_size(c.oid) / current_setting('block_size')::bigint else 0 end,
	has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relkind in ('r', 'p', 'v', 'm', 'f') and `

const attributeQuery = `with recursive base as (
	select a.attnum, a.attname, a.atttypid as typ, a.atttypmod as typmod, has_column_privilege(a.attrelid, a.attnum, 'select') as readable,
		a.attidentity = 'a' or a.attgenerated <> '' as generated
	from pg_attribute a where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
	union all
	select b.attnum, b.attname, t.typbasetype, case when t.typtypmod >= 0 then t.typtypmod else b.typmod end, b.readable, b.generated
	from base b join pg_type t on t.oid = b.typ where t.typtype = 'd')
	select b.attname, b.typ, b.typmod, t.typname, t.typtype::text, case when t.typcategory = 'A' then t.typelem else 0::oid end, b.readable, b.generated
	from base b join pg_type t on t.oid = b.typ where t.typtype <> 'd' order by b.attnum`

const keyQuery = `select a.attname from pg_index i cross join lateral unnest(i.indkey) with ordinality k(attnum, n)
	join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
	where i.indrelid = $1 and i.indisprimary order by k.n`

// describe finds a table, by its exact name or as SQL reads it.
func (s *server) describe(ctx context.Context, conn *pgx.Conn, table string) (*relation, error) {
	r, err := find(ctx, conn, table)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, s.noTable(ctx, conn, table)
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	if err := r.fill(ctx, conn); err != nil {
		return nil, s.fault(ctx, err)
	}
	if !r.readable {
		return nil, weir.Errorf(weir.Denied, "user %s may not read %s", s.config.User, r).At(s.String()).
			Then(fmt.Sprintf("let an administrator: grant usage on schema %s to %s; grant select on %s to %s", r.schema, s.config.User, r, s.config.User))
	}
	return r, nil
}

func find(ctx context.Context, conn *pgx.Conn, table string) (*relation, error) {
	r := &relation{}
	scan := func(where string, args ...any) error {
		return conn.QueryRow(ctx, relationQuery+where, args...).Scan(&r.oid, &r.schema, &r.name, &r.kind, &r.pages, &r.readable)
	}
	schema, name, dotted := strings.Cut(table, ".")
	var err error
	if dotted {
		err = scan("n.nspname = $1 and c.relname = $2", schema, name)
	} else {
		err = scan("pg_table_is_visible(c.oid) and c.relname = $1", table)
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return r, err
	}
	parts, ok := identifiers(table)
	if !ok || len(parts) > 2 {
		return r, pgx.ErrNoRows
	}
	if len(parts) == 2 {
		return r, scan("n.nspname = $1 and c.relname = $2", parts[0], parts[1])
	}
	return r, scan("pg_table_is_visible(c.oid) and c.relname = $1", parts[0])
}

// identifiers splits a name as SQL does: quoted parts stay, others are lower case.
func identifiers(s string) (parts []string, ok bool) {
	for {
		var part string
		if strings.HasPrefix(s, `"`) {
			end := 1
			for ; end < len(s); end++ {
				if s[end] == '"' {
					if end+1 < len(s) && s[end+1] == '"' {
						end++
						continue
					}
					break
				}
			}
			if end >= len(s) {
				return nil, false
			}
			part, s = strings.ReplaceAll(s[1:end], `""`, `"`), s[end+1:]
		} else {
			end := strings.IndexByte(s, '.')
			if end < 0 {
				end = len(s)
			}
			part, s = strings.ToLower(s[:end]), s[end:]
		}
		parts = append(parts, part)
		if s == "" {
			return parts, true
		}
		if s[0] != '.' {
			return nil, false
		}
		s = s[1:]
	}
}

func (r *relation) fill(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, attributeQuery, r.oid)
	if err != nil {
		return err
	}
	r.columns, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a attribute, err error) {
		err = row.Scan(&a.name, &a.typ, &a.typmod, &a.typname, &a.typtype, &a.element, &a.readable, &a.generate)
		return a, err
	})
	if err != nil {
		return err
	}
	if rows, err = conn.Query(ctx, keyQuery, r.oid); err != nil {
		return err
	}
	r.key, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

const tablesQuery = `select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
	and not c.relispartition and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select') order by 1`

func (s *server) tables(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, tablesQuery)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, s.fault(ctx, err)
}

func (s *server) noTable(ctx context.Context, conn *pgx.Conn, table string) error {
	e := weir.Errorf(weir.NotFound, "there is no table %q that user %s can see", table, s.config.User).At(s.String())
	names, err := s.tables(ctx, conn)
	if err != nil {
		return err
	}
	if n := connectors.Nearest(table, names); n != "" {
		return e.Then("did you mean " + n + "?")
	}
	if len(names) == 0 {
		return e.Then("no table can be read: let an administrator grant select")
	}
	return e.Then(fmt.Sprintf("there are %d tables, such as %s", len(names), strings.Join(names[:min(5, len(names))], ", ")))
}
