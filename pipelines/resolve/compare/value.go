package compare

import (
	"math/bits"
	"strings"

	"github.com/weir-cdp/weir/pipelines/resolve/company"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// Value is a value prepared for one kind of comparison. The zero Value is
// missing.
type Value struct {
	Text string // folded; "" is missing
	Mask uint64 // which letters, digits or hashed runes the text holds
	Num  int32  // of a date: year<<9 | month<<5 | day; of an address: where the @ is
	Code uint16 // of a name: hash of its phonetic code, 0: none; of a company's: how rare its rarest word is, set by package model
	Nick uint16 // of a name: its place in the list of nicknames; 0: not there
	TF   uint8  // how rare the value is, set by package model
}

// Missing says that nothing is known.
func (v *Value) Missing() bool { return v.Text == "" }

// Prepare folds a value and computes what comparing needs. A value that says
// nothing for the kind (a date that is none, a phone without digits) is missing.
func Prepare(k Kind, raw string) Value {
	var v Value
	if raw == "" {
		return v
	}
	switch k {
	case Date:
		if n := packDate(raw); n != 0 {
			v.Text = digitsOfDate(n)
			v.Derive()
		}
		return v
	case Email:
		v.Text = strings.ToLower(strings.TrimSpace(strings.ToValidUTF8(raw, "")))
	case Phone:
		v.Text = phone(raw)
	case Company:
		v.Text = company.Fold(strings.ToValidUTF8(raw, ""))
	case Postcode, Number:
		v.Text = squeeze(evidence.Fold(strings.ToValidUTF8(raw, "")))
	default:
		v.Text = evidence.Fold(strings.ToValidUTF8(raw, ""))
	}
	if len(v.Text) > MaxText {
		v.Text = strings.ToValidUTF8(v.Text[:MaxText], "")
	}
	if k == Company {
		v.Text = strings.TrimSuffix(v.Text, " ")
	}
	if k == Name && v.Text != "" {
		v.Code = code(v.Text)
		v.Nick = nicknames()[v.Text]
	}
	v.Derive()
	return v
}

// MaxText is how many bytes of a value are kept.
const MaxText = 120

// Derive computes the fields that follow from Text alone, after it was read
// back: Mask, the set of characters before an @ (26 letters, 10 digits, 28 bits
// for others), and Num of what looks like a date or an e-mail address.
func (v *Value) Derive() {
	v.Mask, v.Num = 0, 0
	for i := 0; i < len(v.Text); i++ {
		c := v.Text[i]
		if c == '@' {
			v.Num = int32(i)
			break
		}
		v.Mask |= 1 << place[c]
	}
	if len(v.Text) == 8 && v.Mask&^tens == 0 {
		v.Num = packDate(v.Text)
	}
}

// tens are the bits of digits.
const tens = (1<<10 - 1) << 26

var place = func() (p [256]uint8) {
	for c := range p {
		switch {
		case c >= 'a' && c <= 'z':
			p[c] = uint8(c - 'a')
		case c >= '0' && c <= '9':
			p[c] = uint8(26 + c - '0')
		default:
			p[c] = uint8(36 + c%28)
		}
	}
	return
}()

// reach is an upper bound of JaroWinkler, from the characters that only one of
// the two holds.
func reach(a, b *Value) float64 {
	return bound(a.Text, b.Text, a.Mask, b.Mask)
}

func bound(x, y string, mx, my uint64) float64 {
	la, lb := min(len(x), longest), min(len(y), longest)
	m := min(la-bits.OnesCount64(mx&^my), lb-bits.OnesCount64(my&^mx))
	if m <= 0 {
		return 0
	}
	j := (float64(m)/float64(la) + float64(m)/float64(lb) + 1) / 3
	p := 0
	for p < 4 && p < la && p < lb && x[p] == y[p] {
		p++
	}
	return j + float64(p)*0.1*(1-j)
}

// phone keeps the last nine digits: what is left of a national and an
// international spelling of one number.
func phone(s string) string {
	var d [32]byte
	n := 0
	for i := 0; i < len(s) && n < len(d); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			d[n] = s[i]
			n++
		}
	}
	if n < 4 {
		return ""
	}
	return string(d[max(n-9, 0):n])
}

func squeeze(s string) string {
	if strings.IndexByte(s, ' ') < 0 {
		return s
	}
	return strings.ReplaceAll(s, " ", "")
}
