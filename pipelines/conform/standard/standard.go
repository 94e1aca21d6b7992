package standard

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Context is what a value's meaning depends on beside its text.
type Context struct {
	Region   string         // ISO 3166 alpha-2: order of day and month, national phones, decimal comma
	Location *time.Location // of times without a zone; nil: UTC
	Country  string         // the row's country, for postcodes and states; "": Region
	Now      time.Time      // the run's; a birth date can't lie after it
	Phones   *Phones        // remembers phone numbers; nil: each is read anew
}

func (c *Context) country() string {
	if c.Country != "" {
		return c.Country
	}
	return c.Region
}

func (c *Context) location() *time.Location {
	if c.Location == nil {
		return time.UTC
	}
	return c.Location
}

// Func standardises one text.
type Func func(text string, c *Context) (string, error)

// Fault is why a value is unusable. Its text never holds the value.
type Fault string

// Error implements error.
func (f Fault) Error() string { return string(f) }

// plain reports a text that Text would return as it is: printable ASCII without
// spaces at its ends or two in a row.
func plain(s string) bool {
	space := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
}

// Text trims, composes (NFC), drops control characters and makes each run of
// spaces one space.
func Text(s string, _ *Context) (string, error) {
	if plain(s) {
		return s, nil
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			gap = b.Len() > 0
			continue
		case unicode.IsControl(r), r == '\u200B', r == '\uFEFF', r == '\u2060', r == '\u00AD':
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String()), nil // last: what was dropped may have stood between
}

// Name is Text for the names of people and places; the case stays as it is
// written (comparison folds it elsewhere). A text without a letter is no name.
func Name(s string, c *Context) (string, error) {
	s, err := Text(s, c)
	if err != nil || s == "" || blank(s) {
		return "", err
	}
	if strings.IndexFunc(s, unicode.IsLetter) < 0 {
		return "", Fault("a name has no letter")
	}
	return s, nil
}

// fold makes a text comparable in look-ups: lower case, without accents, spaces
// and signs.
func fold(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if !ascii {
		s = norm.NFD.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ø' || r == 'Ø':
			b.WriteByte('o')
		case r == 'æ' || r == 'Æ':
			b.WriteString("ae")
		case r == 'œ' || r == 'Œ':
			b.WriteString("oe")
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// blank reports the spellings of "there is no value" that exports write.
func blank(s string) bool {
	if len(s) > 16 {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "null", "nil", "none", "n/a", "na", "#n/a", "nan", "\\n", "-", "--", "?", "(null)", "unknown", "undefined", "inconnu", "unbekannt":
		return true
	}
	return false
}
