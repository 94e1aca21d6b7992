package company

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/weir-cdp/weir"
)

// Attributes are those that hold a company's name, the best first; `name` only on
// an account's record.
var Attributes = []string{"company_name", "name", "legal_name", "trade_name", "company", "organisation", "organization",
	"organisation_name", "organization_name"}

// IsName tells whether an attribute of a record of this kind holds a company's name.
func IsName(of weir.Kind, attribute string) bool {
	return slices.Contains(Attributes, attribute) && (attribute != "name" || of == weir.Account)
}

// Fold returns a name, as it is written, without what differs between spellings of
// one name, its words in lower case with single spaces; "" where it is nothing but
// a legal form, which is no name. What it returns is no name to fold again: of
// "BT plc" stays "bt", which alone is a Hungarian form.
func Fold(name string) string {
	core, _ := Split(name)
	return core
}

// Split is Fold, with the legal forms that it took off, in the order of the name.
func Split(name string) (core string, forms []string) {
	words := tokens(name)
	words, cjk := eastern(words)
	if len(words) > 1 && words[0] == "the" {
		words = words[1:]
	}
	rest, forms := trailing(words)
	switch {
	case len(forms) == 0:
		rest, forms = leading(rest)
	case len(rest) > 1 && slices.Contains(around[rest[0]], forms[0]):
		rest, forms = rest[1:], append([]string{rest[0]}, forms...)
	case len(rest) == 0 && len(words) > 1 && names[words[0]]: // BT plc
		rest, forms = words[:1], forms[1:]
	}
	rest = withoutJoints(rest)
	return strings.Join(rest, " "), append(cjk, forms...)
}

// around are forms that stand before a name when the other stands behind it:
// Romania, Finland, Indonesia.
var around = map[string][]string{"sc": {"srl", "sa"}, "oy": {"ab"}, "pt": {"tbk"}}

// joint stands for "&" and the words that say the same. It is no word of a name:
// "Smith & Sons", "Smith and Sons" and "Smith Sons" fold to one.
const joint = "&"

var joints = map[string]bool{"and": true, "und": true, "et": true, "och": true, "og": true, "en": true}

func withoutJoints(words []string) []string {
	out := make([]string, 0, len(words))
	for i, w := range words {
		inside := i > 0 && i < len(words)-1
		if w == joint || inside && joints[w] {
			continue
		}
		out = append(out, w)
	}
	return out
}

// tokens cuts a name into words: folded, without punctuation; single letters that
// follow each other are one word, so that "S.A.R.L.", "S A R L" and "SARL" are.
func tokens(name string) []string {
	var words []string
	var b strings.Builder
	single := false // the last word is made of single letters
	flush := func() {
		if b.Len() == 0 {
			return
		}
		w := b.String()
		b.Reset()
		r, size := rune(0), 0
		for _, r = range w {
			size++
		}
		lone := size == 1 && unicode.IsLetter(r) && !unicode.Is(unicode.Han, r)
		if lone && single {
			words[len(words)-1] += w
			return
		}
		words, single = append(words, w), lone
	}
	latin := false // what marks change the look of, not the sound
	for _, r := range norm.NFKD.String(name) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			latin = unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic)
			r = unicode.ToLower(unicode.ToUpper(r)) // some letters have a capital whose small letter is another
			if t, ok := letters[r]; ok {
				b.WriteString(t)
			} else {
				b.WriteRune(r)
			}
		case unicode.IsMark(r):
			if !latin && b.Len() > 0 {
				b.WriteRune(r)
			}
		case r == '&' || r == '+':
			flush()
			words, single = append(words, joint), false
		case r == '\'' || r == '’' || r == 'ʼ' || r == '`' || unicode.Is(unicode.Cf, r):
		default:
			flush()
		}
	}
	flush()
	for i, w := range words {
		words[i] = norm.NFC.String(w)
	}
	return words
}

// letters that Unicode does not decompose, and the final sigma.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ħ': "h", 'ς': "σ",
}

// trailing takes legal forms off the end, the longest first, as often as there is
// one.
func trailing(words []string) (rest, forms []string) {
	for len(words) > 0 {
		if last := words[len(words)-1]; last == joint || len(forms) > 0 && (joints[last] || last == "u") { // GmbH & | Co. KG
			words = words[:len(words)-1]
			continue
		}
		n := 0
		for k := min(longest, len(words)); k > 0 && n == 0; k-- {
			if after[strings.Join(words[len(words)-k:], " ")] {
				n = k
			}
		}
		if n == 0 {
			break
		}
		forms = append(forms, strings.Join(words[len(words)-n:], " "))
		words = words[:len(words)-n]
	}
	slices.Reverse(forms)
	return words, forms
}

// leading takes one legal form off the beginning.
func leading(words []string) (rest, forms []string) {
	for k := min(longest, len(words)-1); k > 0; k-- {
		if f := strings.Join(words[:k], " "); before[f] {
			return words[k:], []string{f}
		}
	}
	return words, nil
}

// eastern takes the forms of languages that write no spaces off both ends of the
// name.
func eastern(words []string) (rest, forms []string) {
	cut := func(i int, f string, trim func(string, string) (string, bool)) {
		if i < 0 || i >= len(words) {
			return
		}
		if s, ok := trim(words[i], f); ok {
			words[i] = s
			forms = append(forms, f)
			if s == "" {
				words = append(words[:i:i], words[i+1:]...)
			}
		}
	}
	for _, f := range unspaced {
		cut(0, f, strings.CutPrefix)
		cut(len(words)-1, f, strings.CutSuffix)
	}
	return words, forms
}
