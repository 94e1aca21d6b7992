package lakehouse

import (
	"context"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

// splitScope splits "name@version"; a scope without "@" has no version.
func splitScope(scope string) (name, version string) {
	if i := strings.LastIndexByte(scope, '@'); i >= 0 {
		return scope[:i], scope[i+1:]
	}
	return scope, ""
}

// scopeFolder is the folder of a scope's files, as an object key.
func scopeFolder(table, scope string) string {
	return rowfile.DataDir(table) + "/" + rowfile.ScopeDir(scope)
}

// scopeOf returns the scope of one of the table's data files by its key.
func scopeOf(table, key string) (string, bool) {
	if !strings.HasPrefix(key, rowfile.DataDir(table)+"/") {
		return "", false
	}
	return rowfile.ScopeOf(key)
}

// Scopes says which version of each scope a snapshot holds, read from the paths
// of its files: what a connector needs to see which source files are collected.
// Scopes without a version are left out. Snapshot 0 holds none.
func (l *Lake) Scopes(ctx context.Context, table string, snapshot int64) (map[string]string, error) {
	files, err := l.snapshotFiles(ctx, table, snapshot)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, f := range files {
		scope, ok := scopeOf(table, f.Path)
		if !ok {
			continue
		}
		if name, version := splitScope(scope); version != "" {
			if other, twice := versions[name]; twice && other != version {
				return nil, weir.Errorf(weir.Internal, "scope %s is there in versions %s and %s", name, other, version).At(table)
			}
			versions[name] = version
		}
	}
	return versions, nil
}
