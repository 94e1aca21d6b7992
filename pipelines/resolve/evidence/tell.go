package evidence

import (
	"encoding/binary"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/company"
)

// Class says how far a tell tells people apart.
type Class uint8

// The classes.
const (
	Identity Class = iota // an identifier: people differ in it
	Device                // an identifier of which one person has many, and two may share one
	Name                  // family name and first initial
)

// Tell is something that a record holds beside the value in question, by which
// it can be seen whether two records are about one person.
type Tell struct {
	Hash  uint64
	Kind  uint32 // hash of the identifier's kind
	Limit uint16 // its declared limit; 0 without
	Class Class
}

const tellSize = 15

// Pack encodes tells for a scratch row.
func Pack(tells []Tell) []byte { return AppendPacked(make([]byte, 0, len(tells)*tellSize), tells) }

// PackedSize is the length of what Pack gives.
func PackedSize(tells []Tell) int { return len(tells) * tellSize }

// AppendPacked is Pack into a buffer that is reused.
func AppendPacked(b []byte, tells []Tell) []byte {
	for _, t := range tells {
		b = binary.LittleEndian.AppendUint64(b, t.Hash)
		b = binary.LittleEndian.AppendUint32(b, t.Kind)
		b = binary.LittleEndian.AppendUint16(b, t.Limit)
		b = append(b, byte(t.Class))
	}
	return b
}

// Unpack decodes what Pack made.
func Unpack(b []byte) []Tell {
	tells := make([]Tell, 0, len(b)/tellSize)
	for ; len(b) >= tellSize; b = b[tellSize:] {
		tells = append(tells, Tell{
			Hash: binary.LittleEndian.Uint64(b), Kind: binary.LittleEndian.Uint32(b[8:]),
			Limit: binary.LittleEndian.Uint16(b[12:]), Class: Class(b[14]),
		})
	}
	return tells
}

// tells lists what a record tells, and sets the hashes of the values it holds.
func (s *section) tells(rec *weir.Record, e *Evidence, hashes []Hash) []Tell {
	tells := make([]Tell, 0, len(e.Held)+1)
	for i := range e.Held {
		h := &e.Held[i]
		id := s.identifier(h.Kind)
		if h.Blocked != "" || id.foreign {
			continue // colleagues share it
		}
		hashes[i] = Digest(s.kind, id.Name, h.Value)
		t := Tell{Hash: hashes[i].Hi, Kind: kindHash(h.Kind), Limit: uint16(min(id.max, 1<<16-1))}
		if id.max == 0 && isDevice(h.Kind) {
			t.Class = Device
		}
		tells = append(tells, t)
	}
	if name := s.nameKey(rec); name != "" {
		tells = append(tells, Tell{Hash: Digest("", "name", name).Hi, Class: Name})
	}
	return tells
}

// nameKey is a person's family name and first initial, or any other name whole,
// of companies without its legal form: the part of a name that survives nicknames
// and abbreviations.
func (s *section) nameKey(rec *weir.Record) string {
	if s.kind == weir.Account {
		for _, a := range company.Attributes {
			if name := company.Fold(rec.Attributes[a]); name != "" {
				return name
			}
		}
		return ""
	}
	family, given := Fold(rec.Attributes["family_name"]), Fold(rec.Attributes["given_name"])
	if family == "" {
		return Fold(rec.Attributes["name"])
	}
	for i := range given {
		if i > 0 {
			return family + " " + given[:i]
		}
	}
	return family + " " + given
}

func (s *section) isName(attribute string) bool {
	if s.kind == weir.Account && company.IsName(s.kind, attribute) {
		return true
	}
	return attribute == "family_name" || attribute == "given_name" || attribute == "name"
}

// isDevice knows identifiers of a browser, an app or a visit by their names.
func isDevice(kind string) bool {
	for _, part := range []string{"anonymous", "device", "cookie", "session", "visitor", "client_id", "browser", "push", "token",
		"idfa", "idfv", "gaid", "aaid", "advertising", "ip_address"} {
		if strings.Contains(kind, part) {
			return true
		}
	}
	return kind == "ip"
}

// IsDevice says whether a kind's values are of devices rather than people, by
// its name.
func IsDevice(kind string) bool { return isDevice(kind) }

func kindHash(kind string) uint32 {
	h := uint32(2166136261) // FNV-1a
	for i := 0; i < len(kind); i++ {
		h = (h ^ uint32(kind[i])) * 16777619
	}
	return h
}

func without(tells []Tell, hash uint64) []Tell {
	return appendWithout(make([]Tell, 0, len(tells)), tells, hash)
}

func appendWithout(out, tells []Tell, hash uint64) []Tell {
	for _, t := range tells {
		if t.Hash != hash {
			out = append(out, t)
		}
	}
	return out
}

func withoutNames(tells []Tell) []Tell {
	out := make([]Tell, 0, len(tells))
	for _, t := range tells {
		if t.Class != Name {
			out = append(out, t)
		}
	}
	return out
}
