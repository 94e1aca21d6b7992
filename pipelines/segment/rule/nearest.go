package rule

import (
	"sort"

	"github.com/weir-cdp/weir"
)

// unknownName is the error of a name that is not declared, with the nearest
// one that is.
func unknownName(what, name string, known map[string]weir.AttributeType) error {
	err := weir.Errorf(weir.Invalid, "there is no %s %q", what, name)
	if near := Nearest(name, known); near != "" {
		return err.Then("did you mean " + near + "?")
	}
	return err.Then("declare it first")
}

// UnknownTrait is the error of a trait that can't be read: it is not declared, or,
// with its place in broken, can't be computed itself.
func UnknownTrait(name string, known map[string]weir.AttributeType, broken map[string]string) error {
	at, declared := broken[name]
	if !declared {
		return unknownName("trait", name, known)
	}
	if at != "" {
		at = " (" + at + ")"
	}
	return weir.Errorf(weir.Invalid, "trait %s, which this one reads, is broken itself%s", name, at).Then("mend the trait")
}

// Nearest returns the known name with the fewest edits from name, at most a
// third of its letters (and at least one); "" if there is none.
func Nearest[V any](name string, known map[string]V) string {
	names := make([]string, 0, len(known))
	for k := range known {
		names = append(names, k)
	}
	sort.Strings(names)
	best, limit := "", max(1, len(name)/3)+1
	for _, k := range names {
		if d := edits(name, k); d < limit {
			best, limit = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
