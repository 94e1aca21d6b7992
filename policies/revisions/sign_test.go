package revisions

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

func TestListsOfSigners(t *testing.T) {
	for name, list := range map[string][]weir.Signer{
		"nobody": nil, "one": people[:1], "one name twice": {signer("Ada"), {Name: "ada", Key: signer("Ben").Key}}, "one key twice": {signer("Ada"), {Name: "Ben", Key: signer("Ada").Key}},
		"no key": {signer("Ada"), {Name: "Ben"}}, "no name": {signer("Ada"), {Key: signer("Ben").Key}}, "a key of another kind": {signer("Ada"), {Name: "Ben", Key: "ed25519:AAAA"}},
	} {
		if CheckSigners(list) == nil {
			t.Errorf("%s may sign", name)
		}
		if _, err := Fold("shop", [][]byte{Pin(list).Encode(Standing{})}); err == nil {
			t.Errorf("%s is pinned", name)
		}
	}
	if err := CheckSigners(people); err != nil {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	k := keyOf("Ada")
	b, err := FormatPrivate(k)
	if err != nil || !bytes.HasPrefix(b, []byte("-----BEGIN PRIVATE KEY-----")) {
		t.Fatal(err)
	}
	back, err := ParsePrivate(b)
	if err != nil || !back.Equal(k) {
		t.Errorf("%v", err)
	}
	for _, damaged := range [][]byte{nil, []byte("x"), b[:60], bytes.Replace(b, []byte("PRIVATE"), []byte("PUBLIC"), 2)} {
		if _, err := ParsePrivate(damaged); err == nil || strings.Contains(err.Error(), string(b[40:60])) {
			t.Errorf("%v", err)
		}
	}
	if s, err := Owner(people, k); err != nil || s.Name != "Ada" {
		t.Errorf("%v %v", s, err)
	}
	if _, err := Owner(people, keyOf("Mallory")); weir.CodeOf(err) != weir.Denied {
		t.Errorf("%v", err)
	}
}

// Whatever an entry holds, reading it ends, and two signatures are what lets it count.
func FuzzFold(f *testing.F) {
	b := newBook(f)
	b.publish(nil)
	for _, line := range b.log {
		f.Add(line)
	}
	f.Add([]byte(`{"sequence":4,"kind":"approved","number":1,"signature":{}}`))
	whole := b.standing()
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := Fold("shop", append(append([][]byte(nil), b.log...), line))
		if err == nil && (len(s.Approved) != 1 || SignersDigest(s.Signers) != SignersDigest(people)) {
			t.Fatalf("%s counts", line)
		}
		if e, err := ParseEntry(line); err == nil {
			e.Sequence, e.Previous = whole.Sequence+1, whole.Last
			linked, err := json.Marshal(e)
			if err != nil {
				t.Skip()
			}
			if s, err := Fold("shop", append(append([][]byte(nil), b.log...), linked)); err == nil && len(s.Approved) != 1 {
				t.Fatalf("%s counts", linked)
			}
		}
	})
}

// What is locked opens with its passphrase alone, and what is damaged is refused.
func TestLockedKeys(t *testing.T) {
	private, err := FormatPrivate(keyOf("Ada"))
	if err != nil {
		t.Fatal(err)
	}
	locked, err := Lock(private, "correct horse")
	if err != nil || Locked(private) || !Locked(locked) || bytes.Contains(locked, private[30:60]) {
		t.Fatalf("%s %v", locked, err)
	}
	if back, err := Unlock(locked, "correct horse"); err != nil || !bytes.Equal(back, private) {
		t.Errorf("%s %v", back, err)
	}
	for _, wrong := range []string{"", "Correct horse"} {
		if _, err := Unlock(locked, wrong); weir.CodeOf(err) != weir.Denied {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	damaged := bytes.Replace(locked, locked[200:210], []byte("AAAAAAAAAA"), 1)
	if out, err := Unlock(damaged, "correct horse"); err == nil || len(out) > 0 || bytes.Contains([]byte(err.Error()), private[30:60]) {
		t.Errorf("%q %v", out, err)
	}
	if _, err := Lock(private, ""); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("an empty passphrase: %v", err)
	}
}
