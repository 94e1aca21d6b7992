package sql

import (
	"cmp"
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
	groups, err := i.Groups(ctx, data, column)
	if err != nil {
		return nil, err
	}
	var bounds []string
	var sum int64
	for n, g := range groups {
		if sum >= rows && g.Least > groups[n-1].Least {
			bounds, sum = append(bounds, g.Least), 0
		}
		sum += g.Rows
	}
	return bounds, nil
}

// Group is what is known of a row group without reading it.
type Group struct {
	File  weir.DataFile
	Index int    // in its file
	Least string // of one text column; without statistics it is the least of all
	Rows  int64
}

// Groups are the row groups of files, by the least value of a text column.
func (i *Internal) Groups(ctx context.Context, data []weir.DataFile, column string) ([]Group, error) {
	if len(data) == 0 {
		return nil, nil
	}
	i.mu.Lock()
	paths, err := i.engine.files.all(ctx, data)
	i.mu.Unlock()
	if err != nil {
		return nil, err
	}
	files := map[string]weir.DataFile{}
	quoted := make([]string, len(paths))
	for n, path := range paths {
		files[path], quoted[n] = data[n], QuoteText(path)
	}
	found, err := i.Query(ctx, "SELECT file_name, stats_min_value, row_group_num_rows, row_group_id FROM parquet_metadata(["+strings.Join(quoted, ", ")+"]) WHERE path_in_schema = ?", column)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var groups []Group
	for found.Next() {
		v := found.Values()
		g := Group{}
		path, _ := v[0].(string)
		g.File = files[path]
		g.Least, _ = v[1].(string)
		g.Rows, _ = v[2].(int64)
		index, _ := v[3].(int64)
		g.Index = int(index)
		groups = append(groups, g)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(strings.Compare(a.Least, b.Least), strings.Compare(a.File.Path, b.File.Path), cmp.Compare(a.Index, b.Index))
	})
	return groups, nil
}
