package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// variants is how many of each segment make a thousand of the kit's hundred.
const variants = 10

var (
	inDays    = regexp.MustCompile(`\b(within|older_than|newer_than): (\d+)d`)
	inNumbers = regexp.MustCompile(`\b(at_least|at_most|more_than|less_than): (\d+)\b`)
	ranges    = regexp.MustCompile(`\bbetween: \[(\d+), (\d+)\]`)
	years     = regexp.MustCompile(`"(\d{4})-`)
	countries = regexp.MustCompile(`\b(FR|DE|GB|ES|PL|BE|IT|NL)\b`)
)

// variant is the text of a segment with other constants. The nth differs from the
// others in at least one condition, and shares with them those without constants.
func variant(text string, n int) string {
	out := inDays.ReplaceAllStringFunc(text, func(s string) string {
		m := inDays.FindStringSubmatch(s)
		return fmt.Sprintf("%s: %dd", m[1], number(m[2])+n)
	})
	out = inNumbers.ReplaceAllStringFunc(out, func(s string) string {
		m := inNumbers.FindStringSubmatch(s)
		return fmt.Sprintf("%s: %d", m[1], number(m[2])*(10+n)/10+n%3)
	})
	out = ranges.ReplaceAllStringFunc(out, func(s string) string {
		m := ranges.FindStringSubmatch(s)
		return fmt.Sprintf("between: [%d, %d]", number(m[1]), number(m[2])+n)
	})
	out = years.ReplaceAllStringFunc(out, func(s string) string { return fmt.Sprintf(`"%d-`, number(s[1:5])+n) })
	all := []string{"FR", "DE", "GB", "ES", "PL", "BE", "IT", "NL"}
	out = countries.ReplaceAllStringFunc(out, func(s string) string { return all[(slices.Index(all, s)+n)%len(all)] })
	if out == text || n >= len(all) && !inDays.MatchString(text) && !years.MatchString(text) {
		head, rule, _ := strings.Cut(out, "where:\n")
		rule = strings.ReplaceAll("    "+strings.TrimSuffix(rule, "\n"), "\n", "\n    ")
		out = fmt.Sprintf("%swhere:\n  all:\n    - {attribute: points, at_least: %d}\n    -\n%s\n", head, 10*n, rule)
	}
	return out
}

// number reads what a pattern of digits matched.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
