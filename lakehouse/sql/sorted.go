package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Sorted streams columns of a table's files in the order of the first of them,
// which is a text. Files whose rows are sorted and whose ranges don't overlap, as
// a stage writes them, are read one after the other; others DuckDB sorts, on disk
// where they exceed memory. Rows that are not in order after all end the stream
// with ErrUnsorted: ask again with resort.
func (i *Internal) Sorted(ctx context.Context, t schema.Table, data []weir.DataFile, columns []string, resort bool) (*Stream, error) {
	shown := make([]string, len(columns))
	for n, name := range columns {
		c, ok := t.Column(name)
		switch shown[n] = QuoteName(name); {
		case ok && (c.Type == schema.Text || c.Type == schema.Long):
		case ok && c.Type == schema.Timestamp:
			shown[n] = "epoch_us(" + shown[n] + ")"
		default:
			return nil, weir.Errorf(weir.Internal, "column %s can't be streamed", name).At(t.Name)
		}
	}
	if len(data) == 0 {
		return openStream(ctx, i.engine.opts.streamSettings(i.engine.spill()), len(columns), "SELECT "+strings.Repeat("NULL::VARCHAR, ", len(columns)-1)+"NULL::VARCHAR WHERE false")
	}
	i.mu.Lock()
	paths := make([]string, len(data))
	for n, f := range data {
		var err error
		if paths[n], err = i.engine.files.local(ctx, f); err != nil {
			i.mu.Unlock()
			return nil, err
		}
	}
	i.mu.Unlock()
	paths, apart, err := i.ranges(ctx, paths, columns[0])
	if err != nil {
		return nil, err
	}
	q := "SELECT " + strings.Join(shown, ", ") + " FROM read_parquet(" + listOfTexts(paths) + ", union_by_name=true, hive_partitioning=false)"
	if resort || !apart {
		q += " ORDER BY 1"
	}
	return openStream(ctx, i.engine.opts.streamSettings(i.engine.spill()), len(columns), q)
}

// ranges puts files in the order of a column's least values; apart is false where
// the values of two row groups may overlap.
func (i *Internal) ranges(ctx context.Context, paths []string, column string) (_ []string, apart bool, err error) {
	rows, err := i.Query(ctx, "SELECT file_name, stats_min_value, stats_max_value FROM parquet_metadata("+listOfTexts(paths)+") WHERE path_in_schema = ? ORDER BY file_name, row_group_id", column)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	type group struct{ file, least, most string }
	var groups []group
	for rows.Next() {
		v := rows.Values()
		g := group{}
		g.file, _ = v[0].(string)
		var known, bounded bool
		g.least, known = v[1].(string)
		g.most, bounded = v[2].(string)
		if !known || !bounded {
			return paths, false, nil
		}
		groups = append(groups, g)
	}
	if err := rows.Err(); err != nil {
		return nil, false, err
	}
	first := map[string]string{}
	for _, g := range groups {
		if _, seen := first[g.file]; !seen {
			first[g.file] = g.least
		}
	}
	byFirst := func(a, b string) int { return strings.Compare(first[a], first[b]) }
	slices.SortStableFunc(paths, byFirst)
	slices.SortStableFunc(groups, func(a, b group) int { return byFirst(a.file, b.file) })
	for n := 1; n < len(groups); n++ {
		if groups[n].least < groups[n-1].most {
			return paths, false, nil
		}
	}
	return paths, true, nil
}

func listOfTexts(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = QuoteText(t)
	}
	return fmt.Sprintf("[%s]", strings.Join(quoted, ", "))
}
