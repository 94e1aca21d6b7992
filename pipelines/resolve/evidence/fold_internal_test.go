package evidence

import (
	"testing"

	"pgregory.net/rapid"
)

// The fold of Latin letters is a short cut, not another fold.
func TestFoldLatinIsFoldUnicode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`[\x00-\x7f]{0,80}`), rapid.StringMatching(`[\x00-\x{24f}]{0,80}`),
			rapid.StringMatching(`[aé \x{a0}\x{a8}½ßŁǆİ\x{301}\x{327}]{0,9}`), rapid.String()).Draw(t, "s")
		got, ok := foldLatin(s)
		if want := foldUnicode(s); ok && got != want {
			t.Fatalf("%q folds to %q, want %q", s, got, want)
		}
		for _, r := range s {
			if r >= latinEnd && ok {
				t.Fatalf("%q is not Latin", s)
			}
		}
	})
	for r := range rune(latinEnd) {
		s := "x" + string(r) + "Y" + string(r)
		if got, ok := foldLatin(s); !ok || got != foldUnicode(s) {
			t.Errorf("%q folds to %q, want %q", s, got, foldUnicode(s))
		}
	}
}
