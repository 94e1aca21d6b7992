package compare_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// The pairs and values of Winkler's table (Porter and Winkler 1997, Approximate
// String Comparison and its Effect on an Advanced Record Linkage System), to the
// three digits that it prints.
func TestJaroWinklerOfWinkler(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"shackleford", "shackelford", 0.982}, {"dunningham", "cunnigham", 0.896}, {"nichleson", "nichulson", 0.956},
		{"jones", "johnson", 0.832}, {"massey", "massie", 0.933}, {"abroms", "abrams", 0.922},
		{"jeraldine", "geraldine", 0.926}, {"marhta", "martha", 0.961}, {"michelle", "michael", 0.921},
		{"julies", "julius", 0.933}, {"tanya", "tonya", 0.880}, {"dwayne", "duane", 0.840},
		{"sean", "susan", 0.805}, {"jon", "john", 0.933}, {"dixon", "dicksonx", 0.813}, {"", "x", 0},
	} {
		if got := compare.JaroWinkler(c.a, c.b); math.Abs(got-c.want) > 0.0006 {
			t.Errorf("%s, %s: %.4f, published %.3f", c.a, c.b, got, c.want)
		}
	}
}

// distance is the restricted Damerau-Levenshtein distance, by its definition.
func distance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestOneSlipIsADistanceOfOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`[abéc]{0,7}`).Draw(t, "a")
		b := rapid.StringMatching(`[abéc]{0,7}`).Draw(t, "b")
		if got, want := compare.OneSlip(a, b), distance([]rune(a), []rune(b)) <= 1; got != want {
			t.Fatalf("%q, %q: %v, distance says %v", a, b, got, want)
		}
	})
}
