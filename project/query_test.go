package project

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

func TestQueryOfATrait(t *testing.T) {
	const good = "query:\n  sql: select profile_id, 1 as value, 'x' as why from core.profiles\n  columns: {why: text, value: number}\n  timeout: 90s\ncategories: [health]\n"
	for text, want := range map[string]string{
		good:                                "",
		"query: {columns: {value: number}}": "asked.yaml:1:8: a query needs its sql",
		"query: {sql: select 1}":            "asked.yaml:1:8: a query needs its columns",
		"query:\n  sql: select 1\n  columns: {profile_id: text}":                   "asked.yaml:3:13: \"profile_id\" is no column that becomes a trait",
		"query:\n  sql: select 1\n  columns: {Value: text}":                        "asked.yaml:3:13: \"Value\" is no column that becomes a trait",
		"query:\n  sql: select 1\n  columns: {value: money}":                       "asked.yaml:3:20: ",
		"query:\n  sql: select 1\n  columns: {value: text}\n  timeout: 2h":         "asked.yaml:4:12: a query's timeout is from 1s to 30m",
		"query:\n  sql: select 1\n  columns: {value: text}\n  timout: 2m":          "timeout",
		"query: {sql: select 1, columns: {value: text}}\ncompute: {count: events}": "one of compute, score and query",
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"weir.yaml": "name: a\n", "traits/asked.yaml": text} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p, err := Load(dir, nil)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", text, err, want)
			}
			continue
		}
		if err != nil || len(p.Traits) != 2 {
			t.Fatalf("%+v, %v", p, err)
		}
		value, why := p.Traits[0], p.Traits[1]
		if value.Name != "asked" || why.Name != "asked_why" || value.Query != why.Query || value.Query.Timeout != 90*time.Second ||
			value.Query.ColumnType("value") != weir.Number || why.Query.At != "traits/asked.yaml:2:3" || len(why.Categories) != 1 {
			t.Errorf("%+v %+v %+v", value, why, value.Query)
		}
	}
}
