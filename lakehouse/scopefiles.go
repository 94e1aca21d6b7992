package lakehouse

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
)

// ByScope groups a snapshot's files by their scope's name, without versions.
func (l *Lake) ByScope(ctx context.Context, table string, snapshot int64) (map[string][]weir.DataFile, error) {
	files, err := l.Files(ctx, table, snapshot)
	if err != nil {
		return nil, err
	}
	out := map[string][]weir.DataFile{}
	for _, f := range files {
		if scope, ok := scopeOf(table, f.Path); ok {
			name, _ := splitScope(scope)
			out[name] = append(out[name], f)
		}
	}
	for _, fs := range out {
		slices.SortFunc(fs, func(a, b weir.DataFile) int {
			if a.Path < b.Path {
				return -1
			}
			return 1
		})
	}
	return out, nil
}
