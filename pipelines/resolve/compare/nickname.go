package compare

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed nicknames.txt
var nicknameList string

type nicknameTable struct {
	ids   map[string]uint16
	pairs map[uint32]struct{}
}

var table = sync.OnceValue(func() nicknameTable {
	t := nicknameTable{ids: map[string]uint16{}, pairs: map[uint32]struct{}{}}
	id := func(name string) uint16 {
		if i := t.ids[name]; i != 0 {
			return i
		}
		i := uint16(len(t.ids) + 1)
		t.ids[name] = i
		return i
	}
	for line := range strings.Lines(nicknameList) {
		names := strings.Fields(line)
		if len(names) < 2 || names[0] == "#" {
			continue
		}
		ids := make([]uint16, len(names))
		for i, n := range names {
			ids[i] = id(n)
		}
		for _, other := range ids[1:] {
			t.pairs[pairOf(ids[0], other)] = struct{}{}
		}
	}
	return t
})

func nicknames() map[string]uint16 { return table().ids }

// related says that one name is a nickname of the other.
func related(a, b uint16) bool {
	_, ok := table().pairs[pairOf(a, b)]
	return ok
}

// Nickname says whether one folded name is listed as a short form of the other.
func Nickname(a, b string) bool {
	x, y := nicknames()[a], nicknames()[b]
	return x != 0 && y != 0 && related(x, y)
}

func pairOf(a, b uint16) uint32 { return uint32(min(a, b))<<16 | uint32(max(a, b)) }
