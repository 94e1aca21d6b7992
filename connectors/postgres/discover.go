package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir/connectors"
)

// Discover implements connectors.Source. Estimates are the planner's.
func (s *source) Discover(ctx context.Context) ([]connectors.Discovered, error) {
	conn, err := s.server.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer hangUp(conn)
	names, err := s.server.tables(ctx, conn)
	if err != nil {
		return nil, err
	}
	var out []connectors.Discovered
	for _, name := range names {
		rel, err := find(ctx, conn, name)
		if errors.Is(err, pgx.ErrNoRows) {
			continue // dropped since, or a schema with a dot in its name
		}
		if err == nil {
			err = rel.fill(ctx, conn)
		}
		if err != nil {
			return nil, s.server.fault(ctx, err)
		}
		d := connectors.Discovered{Name: name, Key: rel.key, Rows: -1}
		var rs []reading
		for _, a := range rel.columns {
			if !a.readable {
				continue
			}
			r, err := newReading(a, "")
			if err != nil {
				return nil, err
			}
			rs = append(rs, r)
			if _, ok := cursorTypes[a.typ]; ok {
				d.Cursors = append(d.Cursors, a.name)
			}
		}
		d.Schema = schemaOf(rs)
		var estimate float64
		if err := conn.QueryRow(ctx, "select reltuples from pg_class where oid = $1", rel.oid).Scan(&estimate); err != nil {
			return nil, s.server.fault(ctx, err)
		}
		if estimate > 0 || rel.kind == "r" && rel.pages == 0 {
			d.Rows = int64(estimate)
		}
		out = append(out, d)
	}
	return out, nil
}
