package connectors

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weir-cdp/weir/policies/permit"
)

const (
	// hidden stands for what Mask takes out.
	hidden = "…"
	// shortest is how many bytes a value has that can be told from chance.
	shortest = 3
	// anywhere is how many bytes a value has that is looked for inside of words too:
	// a shorter one, such as Ann, is in "cannot".
	anywhere = 5
	// maskedBytes of a text are read, and shownBytes at most kept: a value that is cut
	// off at the end of the first is not told by its beginning.
	maskedBytes, shownBytes = 8 << 10, 2 << 10
)

// Mask takes personal values out of what a system answers. A destination makes it
// of all rows of a request: the answer to one row may name another's value, and is
// kept with the delivery for as long as the deliveries are.
type Mask struct {
	values  map[string]bool  // folded
	lengths map[string][]int // of the values, by their first bytes
}

// NewMask reads the keys and values of rows. It is for answers, which are rare: it
// costs time and memory in proportion to the rows.
func NewMask(rows []permit.Row) *Mask {
	m := &Mask{values: map[string]bool{}, lengths: map[string][]int{}}
	add := func(v string) {
		if v = fold(Tidy(v)); len(v) < shortest || m.values[v] {
			return
		}
		m.values[v] = true
		if first := v[:shortest]; !slices.Contains(m.lengths[first], len(v)) {
			m.lengths[first] = append(m.lengths[first], len(v))
		}
	}
	for _, r := range rows {
		add(r.Key)
		for _, f := range r.Fields {
			switch v := f.Value.(type) {
			case string:
				add(v)
			case permit.Decimal:
				add(string(v))
			case int64:
				add(strconv.FormatInt(v, 10))
			case time.Time:
				add(v.UTC().Format(time.DateOnly))
			}
		}
	}
	return m
}

var (
	emailLike  = regexp.MustCompile(`[^\s@"'<>(),;:=]+(@|%40)[^\s@"'<>(),;:=]+`)
	phoneLike  = regexp.MustCompile(`\+?\d[\d ().\-/]{5,}\d`)
	escaped    = regexp.MustCompile(`(\\u[0-9A-Fa-f]{4})+`)
	percents   = regexp.MustCompile(`(%[0-9A-Fa-f]{2})+`)
	hiddenRuns = regexp.MustCompile(hidden + `(\s*` + hidden + `)+`)
)

// Text is an answer without the rows' values, and without what looks like an
// address or a number. It is one line, without control characters: people read it
// on a terminal.
func (m *Mask) Text(answer string) string {
	if len(answer) > maskedBytes {
		answer = answer[:maskedBytes]
	}
	text := Tidy(plain(answer))
	cover := m.cover(text)
	var b strings.Builder
	for i := 0; i < len(text) && i < shownBytes; {
		if cover[i] {
			for i < len(text) && cover[i] {
				i++
			}
			b.WriteString(hidden)
			continue
		}
		_, n := utf8.DecodeRuneInString(text[i:])
		b.WriteString(text[i : i+n])
		i += n
	}
	return hiddenRuns.ReplaceAllString(phoneLike.ReplaceAllString(emailLike.ReplaceAllString(b.String(), hidden), hidden), hidden)
}

// cover says of each byte of a text whether it belongs to a value.
func (m *Mask) cover(text string) []bool {
	folded, at := foldedWithOffsets(text)
	out := make([]bool, len(text))
	for i := 0; i+shortest <= len(folded); i++ {
		for _, n := range m.lengths[folded[i:i+shortest]] {
			if i+n > len(folded) || !m.values[folded[i:i+n]] || n < anywhere && !isWord(text, at[i], at[i+n]) {
				continue
			}
			for j := at[i]; j < at[i+n]; j++ {
				out[j] = true
			}
		}
	}
	return out
}

// Tidy is a text in one line without control and formatting characters.
func Tidy(text string) string { return strings.Join(strings.Fields(printable(text)), " ") }

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r): // invisible ones, and those that turn the direction of writing
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

// plain undoes the escapes of JSON, HTML and URLs: a value may come back in them.
func plain(text string) string {
	text = escaped.ReplaceAllStringFunc(text, func(s string) string {
		var units []uint16
		for _, digits := range strings.Split(s[2:], `\u`) {
			u, _ := strconv.ParseUint(digits, 16, 16) // the pattern lets no other through
			units = append(units, uint16(u))
		}
		return string(utf16.Decode(units))
	})
	text = percents.ReplaceAllStringFunc(text, func(s string) string {
		if v, err := url.PathUnescape(s); err == nil && utf8.ValidString(v) {
			return v
		}
		return s
	})
	return html.UnescapeString(text)
}

// fold makes letters of any case the same.
func fold(s string) string { return strings.Map(foldRune, s) }

func foldRune(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// foldedWithOffsets is a text folded, and where each of its bytes was, with the end.
func foldedWithOffsets(text string) (string, []int) {
	var b strings.Builder
	at := make([]int, 0, len(text)+1)
	for i, r := range text {
		before := b.Len()
		b.WriteRune(foldRune(r))
		for range b.Len() - before {
			at = append(at, i)
		}
	}
	return b.String(), append(at, len(text))
}

// isWord is whether text[from:to] begins and ends where a word or a number does.
func isWord(text string, from, to int) bool { return breaks(text, from) && breaks(text, to) }

func breaks(text string, at int) bool {
	if at == 0 || at == len(text) {
		return true
	}
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[at:])
	switch {
	case unicode.IsLetter(before) && unicode.IsLetter(after):
		return unicode.IsLower(before) && unicode.IsUpper(after)
	case unicode.IsDigit(before) && unicode.IsDigit(after):
		return false
	}
	return true
}
