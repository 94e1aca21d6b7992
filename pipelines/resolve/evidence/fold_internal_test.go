package evidence

import (
	"testing"

	"pgregory.net/rapid"
)

// The fold of plain texts is a short cut, not another fold.
func TestFoldASCIIIsFoldUnicode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`[\x00-\x7f]{0,80}`), rapid.String()).Draw(t, "s")
		got, ok := foldASCII(s)
		if want := foldUnicode(s); ok && got != want {
			t.Fatalf("%q folds to %q, want %q", s, got, want)
		}
		for i := range len(s) {
			if s[i] >= 0x80 && ok {
				t.Fatalf("%q is not ASCII", s)
			}
		}
	})
}
