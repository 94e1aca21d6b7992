package stableid

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"

	"github.com/weir-cdp/weir"
)

// idLength is 130 bits: no two profiles of any workspace meet by chance.
const idLength = 26

var alphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

var prefixes = map[weir.Kind]string{weir.Person: "p_", weir.Account: "acc_", weir.Anonymous: "anon_"}

// Derive makes the id of a new profile from its founder: the smallest record id,
// or the hash of the smallest identifier. Salt is 0 unless the id was taken.
func Derive(workspace string, kind weir.Kind, founder string, salt int) string {
	text := workspace + "\x00" + string(kind) + "\x00" + founder
	if salt > 0 {
		text += "\x00" + strconv.Itoa(salt)
	}
	sum := sha256.Sum256([]byte(text))
	return prefixes[kind] + alphabet.EncodeToString(sum[:17])[:idLength]
}

// IsAnonymous says whether an id is of an anonymous profile.
func IsAnonymous(id string) bool { return strings.HasPrefix(id, prefixes[weir.Anonymous]) }
