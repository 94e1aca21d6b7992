package signals

import (
	"encoding/base64"
	"strings"

	gpp "github.com/prebid/go-gpp"
)

// Sections of GPP: IAB Tech Lab, Section Information.
const (
	sectionTCFEU = 2
	sectionTCFCA = 5
	sectionUSP   = 6
	sectionUSNat = 7
)

// layout is the core segment of a section after its six bits of version: fields
// of two bits. n and x are passed over; s is the opt-out of sale, h of sharing, a
// of targeted advertising, e a category of sensitive data.
type layout struct {
	core string
	// second is a further segment that is not GPC's.
	second string
}

func sensitive(n int) string { return strings.Repeat("e", n) }
func others(n int) string    { return strings.Repeat("x", n) }

// layouts of the United States, by section; usnat's second version has its own.
var layouts = map[int]layout{
	sectionUSNat: {core: "nnnnnnsha" + sensitive(12) + others(6)},
	8:            {core: "nnnsh" + sensitive(9) + others(6)},          // California
	9:            {core: "nnnsa" + sensitive(8) + others(4)},          // Virginia
	10:           {core: "nnnsa" + sensitive(7) + others(4)},          // Colorado
	11:           {core: "nnnnsa" + sensitive(8) + others(4)},         // Utah
	12:           {core: "nnnsa" + sensitive(8) + others(6)},          // Connecticut
	13:           {core: "nnnsa" + sensitive(8) + others(7)},          // Florida
	14:           {core: "nnnsa" + sensitive(8) + others(7)},          // Montana
	15:           {core: "nnnsa" + sensitive(11) + others(7)},         // Oregon
	16:           {core: "nnnsa" + sensitive(8) + others(5)},          // Texas
	17:           {core: "nnnsa" + sensitive(9) + others(9)},          // Delaware
	18:           {core: "nnnnsa" + sensitive(8) + others(4)},         // Iowa
	19:           {core: "nnnsa" + sensitive(8) + others(5)},          // Nebraska
	20:           {core: "nnnsa" + sensitive(8) + others(7)},          // New Hampshire
	21:           {core: "nnnsa" + sensitive(10) + others(9)},         // New Jersey
	22:           {core: "nnnsa" + sensitive(8) + others(5)},          // Tennessee
	23:           {core: "nnnsa" + sensitive(8) + others(5)},          // Minnesota
	24:           {core: "xxnnnsa" + others(1)},                       // Maryland
	25:           {core: "xxnnnsa" + others(2), second: sensitive(8)}, // Indiana
	26:           {core: "xxnnnsa" + others(2), second: sensitive(8)}, // Kentucky
	27:           {core: "xxnnnsa" + others(2), second: sensitive(8)}, // Rhode Island
}

var usNat2 = layout{core: "nnnnnnsha" + sensitive(16) + others(7)}

// readGPP reads a GPP string. One section that can't be read makes it unreadable:
// an opt-out may stand in it.
func readGPP(raw string) Reading {
	container, problems := gpp.Parse(raw)
	// What go-gpp refuses in a section is read again below; without sections its
	// header is at fault.
	if len(container.Sections) == 0 || len(problems) > len(container.Sections) || container.Version != 1 {
		return Reading{}
	}
	texts := strings.Split(raw, "~")[1:]
	if len(texts) != len(container.SectionTypes) {
		return Reading{}
	}
	all := Reading{Kind: GPP}
	for i, id := range container.SectionTypes {
		var r Reading
		switch id {
		case sectionTCFEU:
			r = readTCF(texts[i])
			all.TC = r.TC
		case sectionUSP:
			r = readUSP(texts[i])
		case sectionTCFCA: // Canada's says nothing about what is asked here
			continue
		default:
			r = readUS(int(id), texts[i])
		}
		if r.Kind == Unreadable {
			return Reading{}
		}
		all.OptedOut, all.OptedOutAds = all.OptedOut || r.OptedOut, all.OptedOutAds || r.OptedOutAds
		all.LimitSensitive, all.GPC = all.LimitSensitive || r.LimitSensitive, all.GPC || r.GPC
	}
	return all
}

// readUS reads the section of a state of the United States, or the national one.
func readUS(id int, text string) Reading {
	l, known := layouts[id]
	segments := strings.Split(text, ".")
	bits, ok := bitsOf(segments[0])
	if !known || !ok || len(bits) < 6 || len(segments) > 3 {
		return Reading{}
	}
	version := number(bits[:6])
	if id == sectionUSNat && version == 2 {
		l = usNat2
	} else if version != 1 {
		return Reading{}
	}
	r := Reading{Kind: GPP}
	if !r.fields(l.core, bits[6:]) {
		return Reading{}
	}
	for _, s := range segments[1:] {
		bits, ok := bitsOf(s)
		switch {
		case !ok:
			return Reading{}
		case l.second != "":
			if !r.fields(l.second, bits) {
				return Reading{}
			}
		case len(bits) < 3 || number(bits[:2]) != 1: // GPC's is the only type there is
			return Reading{}
		default:
			r.GPC = r.GPC || bits[2] == 1
		}
	}
	return r
}

// fields reads the two-bit fields of a layout: 0 not applicable, 1 opted out or
// not consented, 2 the opposite, 3 nothing that a valid string holds.
func (r *Reading) fields(layout string, bits []byte) bool {
	if len(bits) < 2*len(layout) {
		return false
	}
	for i, f := range layout {
		v := number(bits[2*i : 2*i+2])
		if v == 3 {
			return false
		}
		if v != 1 {
			continue
		}
		switch f {
		case 's', 'h':
			r.OptedOut = true
		case 'a':
			r.OptedOutAds = true
		case 'e':
			r.LimitSensitive = true
		}
	}
	return true
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// bitsOf reads base64url by letters, six bits each: sections are not padded to
// bytes.
func bitsOf(text string) ([]byte, bool) {
	out := make([]byte, 0, 6*len(text))
	for _, c := range []byte(strings.TrimRight(text, string(base64.StdPadding))) {
		v := strings.IndexByte(alphabet, c)
		if v < 0 {
			return nil, false
		}
		for b := 5; b >= 0; b-- {
			out = append(out, byte(v>>b&1))
		}
	}
	return out, len(out) > 0
}

func number(bits []byte) int {
	n := 0
	for _, b := range bits {
		n = n<<1 | int(b)
	}
	return n
}
