package compare

import "strings"

// companyLevel compares two names that company.Fold made and that differ.
func companyLevel(a, b *Value) Level {
	x, y := a.Text, b.Text
	nx, ny := strings.Count(x, " ")+1, strings.Count(y, " ")+1
	if nx > ny {
		x, y, nx, ny = y, x, ny, nx
	}
	if nx == ny && nx > 1 && amongst(x, y) {
		return CompanyOrder
	}
	if min(len(x), len(y)) > 2 && OneSlip(x, y) {
		return CompanyNear
	}
	if ny == nx+1 && amongst(x, y) {
		return CompanyMore
	}
	if nx == 1 && initials(x, y, ny) || ny == 1 && initials(y, x, nx) {
		return CompanyInitials
	}
	jw := 0.0
	if reach(a, b) >= 0.82 {
		if jw = JaroWinkler(x, y); jw >= 0.92 {
			return CompanyNear
		}
	}
	switch {
	case shared(x, y) && shared(y, x):
		return CompanyWords
	case jw >= 0.82:
		return CompanyClose
	}
	return CompanyDiffer
}

// amongst says that all words of a text are words of the other, at least as often.
func amongst(text, other string) bool {
	for rest := text; len(rest) > 0; {
		var w string
		w, rest, _ = strings.Cut(rest, " ")
		if times(w, text) > times(w, other) {
			return false
		}
	}
	return true
}

func times(word, text string) int {
	n := 0
	for len(text) > 0 {
		var w string
		if w, text, _ = strings.Cut(text, " "); w == word {
			n++
		}
	}
	return n
}

// initials says that a word is made of the first letters of a text's n words, of
// three or more: two letters are those of too many.
func initials(word, text string, n int) bool {
	if n < 3 {
		return false
	}
	for len(text) > 0 {
		w, rest, _ := strings.Cut(text, " ")
		first := w[:runeLen(w)]
		if !strings.HasPrefix(word, first) {
			return false
		}
		word, text = word[len(first):], rest
	}
	return word == ""
}

// runeLen is how many bytes the first character of a text has.
func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// Rarest is the word of a text that has the least of what count says, of equal
// ones the longest, then the first in the alphabet.
func Rarest(text string, count func(word string) float64) (word string, least float64) {
	for len(text) > 0 {
		var w string
		w, text, _ = strings.Cut(text, " ")
		n := count(w)
		better := word == "" || n < least
		if n == least && word != "" {
			better = len(w) > len(word) || len(w) == len(word) && w < word
		}
		if better {
			word, least = w, n
		}
	}
	return word, least
}
