package survivorship

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weir-cdp/weir"
)

// candidate is a record that may give a value.
type candidate struct {
	*weir.Record
	filled int // attributes with a value
}

// contender is a candidate for one choice.
type contender struct {
	c     *candidate
	value string // the fields' values; of a group joined
	size  int    // characters in them
	has   int    // of the fields, how many have a value
}

// choose picks the record that gives the fields, and names the rule that
// decided; nil if no record has any of them. Candidates are sorted by id.
func choose(cs []candidate, fields []string, rules []rule) (*candidate, string) {
	left := contenders(cs, fields)
	if len(left) == 0 {
		return nil, ""
	}
	by := ""
	note := func(name string) {
		if by == "" && agreed(left) {
			by = name
		}
	}
	note("only")
	for _, r := range rules {
		left = r.narrow(left, len(fields) > 1)
		note(r.name)
	}
	if len(fields) > 1 {
		left = most(left, func(c contender) int { return c.has })
		note("group_fields")
	}
	left = left[:1]
	note("record_id")
	return left[0].c, by
}

func contenders(cs []candidate, fields []string) []contender {
	var out []contender
	for i := range cs {
		k := contender{c: &cs[i]}
		var joined []string
		for _, f := range fields {
			v := cs[i].Attributes[f]
			if v != "" {
				k.has++
				k.size += utf8.RuneCountInString(v)
			}
			joined = append(joined, v)
		}
		if k.has > 0 {
			k.value = strings.Join(joined, "\x00")
			out = append(out, k)
		}
	}
	return out
}

// agreed says whether all have one value.
func agreed(ks []contender) bool {
	for _, k := range ks[1:] {
		if k.value != ks[0].value {
			return false
		}
	}
	return true
}

// narrow keeps the best by the rule, in order; never none.
func (r rule) narrow(ks []contender, grouped bool) []contender {
	switch r.name {
	case "latest":
		return newest(ks, func(a, b time.Time) bool { return a.After(b) })
	case "first":
		return newest(ks, func(a, b time.Time) bool { return a.Before(b) })
	case "most_frequent":
		n := map[string]int{}
		for _, k := range ks {
			n[k.value]++
		}
		return most(ks, func(k contender) int { return n[k.value] })
	case "most_complete":
		if grouped {
			return most(ks, func(k contender) int { return k.has })
		}
		return most(ks, func(k contender) int { return k.c.filled })
	case "longest":
		return most(ks, func(k contender) int { return k.size })
	}
	return most(ks, func(k contender) int {
		if k.c.Source == r.source {
			return 1
		}
		return 0
	})
}

func newest(ks []contender, better func(a, b time.Time) bool) []contender {
	best := ks[0].c.ObservedAt
	for _, k := range ks[1:] {
		if better(k.c.ObservedAt, best) {
			best = k.c.ObservedAt
		}
	}
	return keep(ks, func(k contender) bool { return k.c.ObservedAt.Equal(best) })
}

func most(ks []contender, score func(contender) int) []contender {
	best := score(ks[0])
	for _, k := range ks[1:] {
		best = max(best, score(k))
	}
	return keep(ks, func(k contender) bool { return score(k) == best })
}

func keep(ks []contender, want func(contender) bool) []contender {
	out := make([]contender, 0, len(ks))
	for _, k := range ks {
		if want(k) {
			out = append(out, k)
		}
	}
	return out
}
