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
	groups, err := i.groups(ctx, data, column)
	if err != nil {
		return nil, err
	}
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

// Least gives the least value of a text column in each of these files, as the
// statistics of their row groups have it; a file without any has none.
func (i *Internal) Least(ctx context.Context, data []weir.DataFile, column string) (map[string]string, error) {
	groups, err := i.groups(ctx, data, column)
	if err != nil {
		return nil, err
	}
	least := map[string]string{}
	for _, g := range slices.Backward(groups) { // by their least
		least[g.file.Path] = g.least
	}
	return least, nil
}

// group is what is known of a row group without reading it.
type group struct {
	file  weir.DataFile
	least string // of one column; without statistics it is the least of all
	rows  int64
}

// groups are the row groups of files, by the least value of a column.
func (i *Internal) groups(ctx context.Context, data []weir.DataFile, column string) ([]group, error) {
	if len(data) == 0 {
		return nil, nil
	}
	files := map[string]weir.DataFile{}
	var paths []string
	i.mu.Lock()
	for _, f := range data {
		path, err := i.engine.files.local(ctx, f)
		if err != nil {
			i.mu.Unlock()
			return nil, err
		}
		files[path] = f
		paths = append(paths, QuoteText(path))
	}
	i.mu.Unlock()
	found, err := i.Query(ctx, "SELECT file_name, stats_min_value, row_group_num_rows FROM parquet_metadata(["+strings.Join(paths, ", ")+"]) WHERE path_in_schema = ?", column)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var groups []group
	for found.Next() {
		v := found.Values()
		g := group{}
		path, _ := v[0].(string)
		g.file = files[path]
		g.least, _ = v[1].(string)
		g.rows, _ = v[2].(int64)
		groups = append(groups, g)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(groups, func(a, b group) int { return strings.Compare(a.least, b.least) })
	return groups, nil
}
