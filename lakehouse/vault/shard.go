package vault

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sort"

	"github.com/weir-cdp/weir"
)

// Index is where a person is found: SHA-256 of the address, its first half. Its
// first byte is the shard.
type Index [16]byte

// IndexOf gives the index of an address.
func IndexOf(kind, value string) Index {
	var i Index
	h := sha256.Sum256([]byte(kind + "\x00" + value))
	copy(i[:], h[:])
	return i
}

// Salt is 32 random bytes.
type Salt [32]byte

const (
	magic  = "weir salts 1\n"
	record = len(Index{}) + len(Salt{})
)

// shard is one shard's salts as its object holds them, sorted by index.
type shard struct {
	version int64  // 0: there is no object yet
	data    []byte // records
}

func (s *shard) len() int { return len(s.data) / record }

func (s *shard) at(i int) []byte { return s.data[i*record : (i+1)*record] }

// find returns where an index is, or would be.
func (s *shard) find(i Index) (at int, ok bool) {
	n := s.len()
	at = sort.Search(n, func(k int) bool { return bytes.Compare(s.at(k)[:len(i)], i[:]) >= 0 })
	return at, at < n && Index(s.at(at)[:len(i)]) == i
}

func (s *shard) salt(i Index) (salt Salt, ok bool) {
	at, ok := s.find(i)
	if ok {
		copy(salt[:], s.at(at)[len(i):])
	}
	return salt, ok
}

// with returns the records together with new ones, which are not among them.
func (s *shard) with(added map[Index]Salt) []byte {
	keys := make([]Index, 0, len(added))
	for i := range added {
		keys = append(keys, i)
	}
	slices.SortFunc(keys, func(a, b Index) int { return bytes.Compare(a[:], b[:]) })
	out := make([]byte, 0, len(s.data)+len(keys)*record)
	from := 0
	for _, i := range keys {
		at, _ := s.find(i)
		out = append(out, s.data[from*record:at*record]...)
		from = at
		salt := added[i]
		out = append(append(out, i[:]...), salt[:]...)
	}
	return append(out, s.data[from*record:]...)
}

// without returns the records but those of these persons, and how many those were.
func (s *shard) without(gone map[Index]bool) (out []byte, n int) {
	for k := range s.len() {
		if gone[Index(s.at(k)[:len(Index{})])] {
			n++
			continue
		}
		out = append(out, s.at(k)...)
	}
	return out, n
}

func encode(data []byte) []byte {
	out := append([]byte(magic), data...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

func decode(key string, b []byte) ([]byte, error) {
	end := len(b) - sha256.Size
	if end < len(magic) || !bytes.HasPrefix(b, []byte(magic)) || (end-len(magic))%record != 0 || sha256.Sum256(b[:end]) != [sha256.Size]byte(b[end:]) {
		return nil, weir.Errorf(weir.Internal, "the salts of consents are damaged").At(key).Then("bring the object back from a backup: without it what is sealed of these persons can't be read")
	}
	return b[len(magic):end], nil
}
