package stages

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// attached opens a session over tables at these snapshots. A table without a
// snapshot is there, empty, with its declared columns. The second result holds
// the tables that exist.
func (h *House) attached(ctx context.Context, tables []string, pins map[string]int64) (*sql.Internal, map[string]schema.Table, error) {
	sess, err := h.Session(ctx)
	if err != nil {
		return nil, nil, err
	}
	have := map[string]schema.Table{}
	for _, name := range tables {
		t, files, err := h.pinned(ctx, name, pins[name])
		if err == nil {
			err = sess.Attach(ctx, t, files)
		}
		if err != nil {
			sess.Close()
			return nil, nil, err
		}
		if pins[name] != 0 {
			have[name] = t
		}
	}
	return sess, have, nil
}

// pinned gives a table's columns and the files of one snapshot.
func (h *House) pinned(ctx context.Context, name string, snapshot int64) (schema.Table, []weir.DataFile, error) {
	if snapshot == 0 {
		return schema.Named(name), nil, nil
	}
	t, err := h.Lake.Describe(ctx, name)
	if err != nil {
		return t, nil, err
	}
	files, err := h.Lake.Files(ctx, name, snapshot)
	return t, files, err
}

// classesOf reads the decision classes of a destination's activations.
func (h *House) classesOf(ctx context.Context, sp activateSpec) (map[string]weir.DecisionClass, error) {
	sess, _, err := h.attached(ctx, []string{"consent.classes"}, sp.Pins)
	if err != nil {
		return nil, err
	}
	defer sess.Close()
	names := make([]string, len(sp.Chunks))
	for i, c := range sp.Chunks {
		names[i] = c.Activation
	}
	found, err := column[string](ctx, sess, "select "+rowJSON("consent.classes")+" from consent.classes where activation in ("+literals(names)+")")
	if err != nil {
		return nil, err
	}
	out := map[string]weir.DecisionClass{}
	for _, text := range found {
		var c weir.DecisionClass
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return nil, weir.Errorf(weir.Internal, "read consent.classes: %w", err)
		}
		out[c.ID] = c
	}
	return out, nil
}

// column gives the first column of a query.
func column[T any](ctx context.Context, sess *sql.Internal, q string) ([]T, error) {
	rows, err := sess.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, _ := rows.Values()[0].(T)
		out = append(out, v)
	}
	return out, rows.Err()
}

// rowJSON writes a fixed table's row as JSON that its noun decodes: times as
// RFC 3339, decimals as text. With columns it is those alone.
func rowJSON(table string, columns ...string) string {
	var fields []string
	for _, c := range schema.Named(table).Columns {
		if len(columns) > 0 && !slices.Contains(columns, c.Name) {
			continue
		}
		value := quote(c.Name)
		if c.Type == schema.Timestamp {
			value = "strftime(" + value + " at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
		}
		if _, _, ok := c.Type.Decimal(); ok {
			value += "::varchar"
		}
		fields = append(fields, quote(c.Name)+": "+value)
	}
	return "cast(to_json({" + strings.Join(fields, ", ") + "}) as varchar)"
}

// commitProperties sets a table's properties without touching its rows.
func (h *House) commitProperties(ctx context.Context, id, table string, properties map[string]string) error {
	_, err := h.Lake.Commit(ctx, lakehouse.Commit{ID: id, Table: table, Properties: properties})
	return err
}
