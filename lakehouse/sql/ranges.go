package sql

import (
	"context"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// Ranges gives bounds of a text column that cut the rows of these files in parts
// of at least so many rows, ascending: part n has the values from bound n-1 up to,
// not including, bound n. They come from the statistics of row groups, so nothing
// is read; where files are sorted by the column, a query between two bounds reads
// the row groups in between alone. No bound is a right answer too.
func (i *Internal) Ranges(ctx context.Context, data []weir.DataFile, column string, rows int64) ([]string, error) {
	if len(data) == 0 {
		return nil, nil
	}
	i.mu.Lock()
	paths := make([]string, len(data))
	for n, f := range data {
		var err error
		if paths[n], err = i.engine.files.local(ctx, f); err != nil {
			i.mu.Unlock()
			return nil, err
		}
		paths[n] = QuoteText(paths[n])
	}
	i.mu.Unlock()
	found, err := i.Query(ctx, "SELECT stats_min_value, row_group_num_rows FROM parquet_metadata(["+strings.Join(paths, ", ")+"]) WHERE path_in_schema = ?", column)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	type group struct {
		least string
		rows  int64
	}
	var groups []group
	for found.Next() {
		v := found.Values()
		g := group{}
		g.least, _ = v[0].(string) // without statistics the group counts into the first part
		g.rows, _ = v[1].(int64)
		groups = append(groups, g)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(groups, func(a, b group) int { return strings.Compare(a.least, b.least) })
	var bounds []string
	var sum int64
	for n, g := range groups {
		if sum >= rows && g.least > groups[n-1].least {
			bounds, sum = append(bounds, g.least), 0
		}
		sum += g.rows
	}
	return bounds, nil
}
