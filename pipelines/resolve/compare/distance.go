package compare

import "unicode/utf8"

// longest is how many characters of a value the distances look at. What is
// longer is not a name.
const longest = 64

// JaroWinkler is the string comparator of Winkler (1990), between 0 and 1: that
// of Jaro (1989), raised for a common prefix of up to four characters by a
// tenth of what is missing for each. As in Winkler's own program, no length and
// no threshold is asked for before raising.
func JaroWinkler(a, b string) float64 {
	if ascii(a) && ascii(b) {
		return jaroWinkler(clip(a), clip(b))
	}
	var x, y [longest]rune
	return jaroWinkler(runes(&x, a), runes(&y, b))
}

func clip(s string) []byte {
	if len(s) > longest {
		s = s[:longest]
	}
	var buf [longest]byte
	return append(buf[:0], s...)
}

func runes(buf *[longest]rune, s string) []rune {
	n := 0
	for _, r := range s {
		if n == longest {
			break
		}
		buf[n] = r
		n++
	}
	return buf[:n]
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func jaroWinkler[T byte | rune](a, b []T) float64 {
	j := jaro(a, b)
	prefix := 0
	for prefix < 4 && prefix < len(a) && prefix < len(b) && a[prefix] == b[prefix] {
		prefix++
	}
	return j + float64(prefix)*0.1*(1-j)
}

// jaro counts the characters that both hold within half the longer length, and
// half of those that stand in another order.
func jaro[T byte | rune](a, b []T) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	reach := max(max(len(a), len(b))/2-1, 0)
	var usedA, usedB uint64
	m := 0
	for i, c := range a {
		lo, hi := max(i-reach, 0), min(i+reach+1, len(b))
		for k := lo; k < hi; k++ {
			if b[k] == c && usedB&(1<<k) == 0 {
				usedA |= 1 << i
				usedB |= 1 << k
				m++
				break
			}
		}
	}
	if m == 0 {
		return 0
	}
	moved, k := 0, 0
	for i := range a {
		if usedA&(1<<i) == 0 {
			continue
		}
		for usedB&(1<<k) == 0 {
			k++
		}
		if a[i] != b[k] {
			moved++
		}
		k++
	}
	fm := float64(m)
	return (fm/float64(len(a)) + fm/float64(len(b)) + (fm-float64(moved/2))/fm) / 3
}

// OneSlip says that one insertion, deletion, substitution or exchange of two
// neighbours turns one string into the other, or that they are equal: a
// restricted Damerau-Levenshtein distance of at most 1, in one pass.
func OneSlip(a, b string) bool {
	if !ascii(a) || !ascii(b) {
		var x, y [longest]rune
		return oneSlip(runes(&x, a), runes(&y, b))
	}
	return oneSlip([]byte(a), []byte(b))
}

func oneSlip[T byte | rune](a, b []T) bool {
	if d := len(a) - len(b); d > 1 || d < -1 {
		return false
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	switch {
	case len(a) <= 1 && len(b) <= 1:
		return true
	case len(a) == 2 && len(b) == 2:
		return a[0] == b[1] && a[1] == b[0]
	}
	return false
}
