package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// printJSON writes one JSON value.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printf writes to standard output: the command's result.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// sayf writes to standard error: what happens meanwhile.
func (a *app) sayf(format string, args ...any) { fmt.Fprintf(a.errw, format, args...) }

// table writes rows in aligned columns. What a cell holds of control characters is
// not for the terminal.
func (a *app) table(header []string, rows [][]string) {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for _, r := range rows {
		line := make([]string, len(r))
		for i, c := range r {
			line[i] = onScreen(c)
		}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	w.Flush()
}

// onScreen writes a space for each control character, and for what turns the
// direction of text.
func onScreen(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
}

// count writes a whole number as everything else that prints one does, so that it
// can be copied.
func count(n int64) string { return strconv.FormatInt(n, 10) }
