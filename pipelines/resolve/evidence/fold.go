package evidence

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/weir-cdp/weir/pipelines/resolve/company"
)

// Fold makes values comparable: compatibility decomposition, lower case, no
// accents, punctuation gone, single spaces. "Élodie  O'Neill-Roux" and "elodie
// oneill roux" fold to the same.
func Fold(s string) string {
	if plain(s) {
		return s
	}
	if folded, ok := foldLatin(s); ok {
		return folded
	}
	return foldUnicode(s)
}

// latin is what foldUnicode makes of each letter and sign of Latin-1 and of Latin
// Extended A and B. None of them changes with its neighbours: they decompose one by one
// (Unicode Standard Annex 15).
var latin = func() (of [latinEnd]folding) {
	for r := range rune(latinEnd) {
		f := foldUnicode(string(r))
		of[r] = folding{text: f, space: f == "" && foldUnicode("a"+string(r)+"a") == "a a"}
	}
	return
}()

const latinEnd = 0x250

type folding struct {
	text  string
	space bool // a separator of words
}

// foldLatin is foldUnicode of texts without other letters: nearly all that are in the
// Latin script.
func foldLatin(s string) (folded string, ok bool) {
	var buf [64]byte
	b, space := buf[:0], false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x80 {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r >= latinEnd {
				return "", false
			}
			i += size - 1
			f := &latin[r]
			if f.text == "" {
				space = space || f.space
				continue
			}
			if space && len(b) > 0 {
				b = append(b, ' ')
			}
			b, space = append(b, f.text...), false
			continue
		}
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == ' ', c >= '\t' && c <= '\r', c == '-', c == '_', c == '/', c == ',', c == ';':
			space = true
			continue
		default:
			continue
		}
		if space && len(b) > 0 {
			b = append(b, ' ')
		}
		b, space = append(b, c), false
	}
	return string(b), true
}

func foldUnicode(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			r = unicode.ToLower(r)
			if t, ok := letters[r]; ok {
				b.WriteString(t)
			} else {
				b.WriteRune(r)
			}
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '_' || r == '/' || r == ',' || r == ';':
			space = true // a separator of words
		}
	}
	return b.String()
}

// fold makes an attribute's value comparable: a company's name without its legal
// form, everything else by Fold. An account's `name` is a company's.
func (s *section) fold(attribute, value string) string {
	if company.IsName(s.kind, attribute) {
		return company.Fold(value)
	}
	return Fold(value)
}

// plain says that s folds to itself: the usual case of standardised values.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// letters that Unicode does not decompose.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ħ': "h",
}
