package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
)

// What records hold can neither steer the terminal nor break a table's lines, and a
// huge value widens no column without end.
func TestTablesShowValuesAsText(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	a.section("NAME\tVALUE", [][]string{
		{"given_name", "\x1b[2J\x1b]0;owned\a\u202egnp.exe\u009b31m"},
		{"notes", "two\nlines\tand\rmore"},
		{"big", strings.Repeat("é", 3_000_000)},
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		if strings.ContainsFunc(l, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) || len(l) > 1000 {
			t.Errorf("%d bytes: %.100q", len(l), l)
		}
	}
}
