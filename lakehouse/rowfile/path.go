package rowfile

import (
	"fmt"
	"strings"
)

// DataDir returns the folder that holds a table's data files.
func DataDir(table string) string { return strings.ReplaceAll(table, ".", "/") + "/data" }

// ScopeDir returns the folder name of a scope: "_" for the whole table, else the
// scope with everything but letters, digits, dot, dash and underscore written as
// ~XX. Two scopes never share one.
func ScopeDir(scope string) string {
	if scope == "" {
		return "_"
	}
	plain := scope != "_" && strings.Trim(scope, ".") != ""
	var b strings.Builder
	for i := 0; i < len(scope); i++ {
		switch c := scope[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			plain && (c == '_' || c == '.'), c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "~%02X", c)
		}
	}
	return b.String()
}

// ScopeOf returns the scope of a data file from its path; ok is false where the
// path is not one that this package gave.
func ScopeOf(path string) (scope string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) < 3 || parts[len(parts)-3] != "data" {
		return "", false
	}
	dir := parts[len(parts)-2]
	if dir == "_" {
		return "", true
	}
	var b strings.Builder
	for i := 0; i < len(dir); i++ {
		if dir[i] != '~' {
			b.WriteByte(dir[i])
			continue
		}
		var c byte
		if i+2 >= len(dir) {
			return "", false
		}
		if _, err := fmt.Sscanf(dir[i+1:i+3], "%02X", &c); err != nil {
			return "", false
		}
		b.WriteByte(c)
		i += 2
	}
	return b.String(), true
}
