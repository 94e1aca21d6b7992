package conform

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/weir-cdp/weir"
)

// State is what became of a row's version.
const (
	kept     int32 = iota
	deleted        // its source says that it is gone
	filtered       // `where` does not keep it
	withheld       // it can't be used; its faults say why
	former         // as kept, and its source no longer has it
)

// version is one version of a row on its way from map to settle.
type version struct {
	ID          string
	State       int32
	CollectedAt int64  // microseconds
	Origin      string // without the line
	Line        int64  // -1: none
	Row         int64  // number within what was read in one piece
	Body        []byte // faults, then the row: see body.go
}

// byIDAndAge orders versions of one id from the first to the last.
func byIDAndAge(a, b version) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.CollectedAt, b.CollectedAt), natural(a.Origin, b.Origin),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.Row, b.Row))
}

// origin puts file and line together again.
func (v version) origin() string {
	if v.Line < 0 {
		return v.Origin
	}
	return v.Origin + ":" + strconv.FormatInt(v.Line, 10)
}

// cutOrigin takes the line off "crm.csv:1042"; -1: there is none.
func cutOrigin(s string) (origin string, line int64) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, -1
	}
	n, err := strconv.ParseInt(s[i+1:], 10, 64)
	if err != nil || n < 0 {
		return s, -1
	}
	return s[:i], n
}

// rowNumber is the number at the end of a row id of collect, "<split>#<n>"; ok is
// false where there is none.
func rowNumber(id string) (n int64, ok bool) {
	_, digits, ok := strings.Cut(id[max(0, strings.LastIndexByte(id, '#')):], "#")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 0
}

// natural compares texts with runs of digits as numbers: orders-2 before
// orders-10.
func natural(a, b string) int {
	if a == b {
		return 0
	}
	x, y := a, b
	for x != "" && y != "" {
		dx, dy := leadingDigits(x), leadingDigits(y)
		if dx > 0 && dy > 0 {
			nx, ny := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
			if c := cmp.Or(cmp.Compare(len(nx), len(ny)), cmp.Compare(nx, ny)); c != 0 {
				return c
			}
			x, y = x[dx:], y[dy:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b)) // "01" and "1" are two
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// fault is one thing wrong with a row.
type fault struct {
	Field    string
	Reason   string
	Excerpt  string
	Withheld bool
}

// quarantined makes a row of ops.quarantine of a fault.
func (f fault) quarantined(m weir.Mapping, origin string) weir.Quarantined {
	return weir.Quarantined{Source: m.Source, Stream: m.Stream, Origin: origin, Field: f.Field, Reason: f.Reason,
		Excerpt: f.Excerpt, Withheld: f.Withheld}
}
