package standard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths in octets, RFC 5321 4.5.3.1.
const (
	maxLocal  = 64
	maxEmail  = 254
	maxLabel  = 63
	maxDomain = 253
)

const (
	errEmailAt     = Fault("an e-mail address needs one @ between a local part and a domain")
	errEmailLocal  = Fault("the local part of an e-mail address is not valid")
	errEmailDomain = Fault("the domain of an e-mail address is not valid")
	errEmailLong   = Fault("an e-mail address is too long")
)

// Email checks an address and returns it trimmed and in lower case. Dots and
// tags of the local part stay: who treats them as one mailbox is the provider's
// affair. It wants what a mail form would send to: a domain of two labels or
// more, no comments, no address literal; international addresses are valid.
func Email(s string, _ *Context) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || blank(s) {
		return "", nil
	}
	if !utf8.ValidString(s) {
		return "", errEmailLocal
	}
	s = norm.NFC.String(strings.ToLower(s))
	if len(s) > maxEmail {
		return "", errEmailLong
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return "", errEmailAt
	}
	if local := s[:at]; len(local) > maxLocal || !dotAtom(local) && !quoted(local) {
		return "", errEmailLocal
	}
	if !domain(s[at+1:]) {
		return "", errEmailDomain
	}
	return s, nil
}

// dotAtom is RFC 5322's, with UTF-8 as RFC 6532 allows it.
func dotAtom(s string) bool {
	dot := true
	for _, r := range s {
		if r == '.' {
			if dot {
				return false
			}
			dot = true
			continue
		}
		dot = false
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) ||
			r >= utf8.RuneSelf && !unicode.IsSpace(r) && !unicode.IsControl(r)
		if !ok {
			return false
		}
	}
	return !dot
}

// quoted is a quoted string of printable characters.
func quoted(s string) bool {
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	escaped := false
	for _, r := range s[1 : len(s)-1] {
		switch {
		case unicode.IsControl(r):
			return false
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			return false
		}
	}
	return !escaped
}

func domain(s string) bool {
	if len(s) > maxDomain {
		return false
	}
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > maxLabel || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, r := range l {
			ok := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' ||
				r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
			if !ok {
				return false
			}
		}
	}
	return strings.IndexFunc(labels[len(labels)-1], func(r rune) bool { return r < '0' || r > '9' }) >= 0
}
