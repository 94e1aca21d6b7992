package revisions

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/weir-cdp/weir"
)

// Signature is a person's word on a revision.
type Signature struct {
	Name  string    `json:"name"`
	At    time.Time `json:"at"` // as the signer's machine had it; signed
	Bytes []byte    `json:"signature"`
}

// What a signature says.
const (
	asAuthor   = "author"
	asApprover = "approver"
	asRefuser  = "rejecter"
)

// message is what is signed: the role and the moment too, so that a signature can't be
// used for another word than was given.
func message(role string, at time.Time, r Revision) []byte {
	return append([]byte("weir policy revision v1\n"+role+"\n"+at.UTC().Format(time.RFC3339Nano)+"\n"), r.canonical()...)
}

func sign(role string, r Revision, name string, key ed25519.PrivateKey, at time.Time) *Signature {
	return &Signature{Name: name, At: at.UTC(), Bytes: ed25519.Sign(key, message(role, at, r))}
}

// Propose is an author's entry.
func Propose(r Revision, key ed25519.PrivateKey, at time.Time) Entry {
	return Entry{Kind: weir.PolicyProposed, Revision: &r, Signature: sign(asAuthor, r, r.Author, key, at)}
}

// Approve is an approver's entry.
func Approve(r Revision, name string, key ed25519.PrivateKey, at time.Time) Entry {
	return Entry{Kind: weir.PolicyApproved, Number: r.Number, Digest: r.Digest(), Signature: sign(asApprover, r, name, key, at)}
}

// Reject is a signer's entry that ends a proposal; the author may, too.
func Reject(r Revision, name string, key ed25519.PrivateKey, at time.Time) Entry {
	return Entry{Kind: weir.PolicyRejected, Number: r.Number, Digest: r.Digest(), Signature: sign(asRefuser, r, name, key, at)}
}

// verify tells why a signature does not count; "" if it does.
func verify(role string, r Revision, s *Signature, signers []weir.Signer) string {
	if s == nil {
		return "there is no signature"
	}
	by, ok := find(signers, s.Name)
	if !ok {
		return s.Name + " is no signer"
	}
	key, err := ParsePublic(by.Key)
	if err != nil || !ed25519.Verify(key, message(role, s.At, r), s.Bytes) {
		return "the signature of " + s.Name + " does not verify"
	}
	return ""
}

func find(signers []weir.Signer, name string) (weir.Signer, bool) {
	for _, s := range signers {
		if sameName(s.Name, name) {
			return s, true
		}
	}
	return weir.Signer{}, false
}

// sameName compares names as people do.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

const publicPrefix = "ed25519:"

// FormatPublic writes a public key as weir.yaml has it.
func FormatPublic(k ed25519.PublicKey) string {
	return publicPrefix + base64.StdEncoding.EncodeToString(k)
}

// ParsePublic reads a public key of weir.yaml.
func ParsePublic(s string) (ed25519.PublicKey, error) {
	text, ok := strings.CutPrefix(s, publicPrefix)
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(b) != ed25519.PublicKeySize || FormatPublic(b) != s {
		return nil, weir.Errorf(weir.Invalid, "not a public key").Then("weir policy key new prints one: ed25519:…")
	}
	return b, nil
}

// pemType is that of PKCS #8, which openssl reads too.
const pemType = "PRIVATE KEY"

// FormatPrivate writes a private key for its owner's file.
func FormatPrivate(k ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "encode a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// ParsePrivate reads an owner's file. Its errors hold nothing of the file.
func ParsePrivate(b []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(b)
	if block != nil && block.Type == pemType {
		if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if own, ok := k.(ed25519.PrivateKey); ok {
				return own, nil
			}
		}
	}
	return nil, weir.Errorf(weir.Invalid, "not a private ed25519 key in PEM (PKCS #8)").Then("make one: weir policy key new")
}

// Lock seals what FormatPrivate wrote under a passphrase (age, with scrypt: RFC 7914), as
// text that `age -d` opens too.
func Lock(private []byte, passphrase string) ([]byte, error) {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "this passphrase can't be used: %w", err).Then("give one that is not empty")
	}
	to.SetWorkFactor(lockWork)
	var out bytes.Buffer
	text := armor.NewWriter(&out)
	w, err := age.Encrypt(text, to)
	if err == nil {
		_, err = w.Write(private)
		err = errors.Join(err, w.Close(), text.Close())
	}
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "lock a key: %w", err)
	}
	return out.Bytes(), nil
}

// lockWork is the logarithm of scrypt's N: a second or so, and 256 MiB, for each guess.
const lockWork = 18

// Locked says whether an owner's file needs a passphrase.
func Locked(b []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(b), []byte(armor.Header)) }

// Unlock opens what Lock made. Denied: it is another passphrase. Its errors hold nothing
// of the file.
func Unlock(b []byte, passphrase string) ([]byte, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, weir.Errorf(weir.Denied, "the passphrase is empty").Then("set WEIR_POLICY_PASSPHRASE, or type it when asked")
	}
	id.SetMaxWorkFactor(lockWork + 2)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(b)), id)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return nil, weir.Errorf(weir.Denied, "this is not the key's passphrase").Then("try again; a passphrase that is lost can't be found: make a new key and change signers")
	}
	var out []byte
	if err == nil {
		out, err = io.ReadAll(io.LimitReader(r, 1<<16))
	}
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the locked key is damaged").Then("take it from a backup, or make a new key and change signers")
	}
	return out, nil
}

// Owner finds whose private key it is.
func Owner(signers []weir.Signer, k ed25519.PrivateKey) (weir.Signer, error) {
	public, ok := k.Public().(ed25519.PublicKey)
	if ok {
		for _, s := range signers {
			if s.Key == FormatPublic(public) {
				return s, nil
			}
		}
	}
	return weir.Signer{}, weir.Errorf(weir.Denied, "the key is none of the signers'").Then("use the key of somebody whom signers in weir.yaml names")
}

// CheckSigners says what is wrong with a list of signers; nil: it may be used.
func CheckSigners(list []weir.Signer) error {
	if len(list) < threshold {
		return weir.Errorf(weir.Invalid, "a revision needs the signatures of %d people, and %d may sign", threshold, len(list)).Then("name at least two, each with a key of their own")
	}
	for i, s := range list {
		if strings.TrimSpace(s.Name) == "" {
			return weir.Errorf(weir.Invalid, "signer %d has no name", i+1).Then("write {name: …, key: \"ed25519:…\"}")
		}
		if _, err := ParsePublic(s.Key); err != nil {
			return weir.Errorf(weir.Invalid, "the key of %s is not a public key", s.Name).Then("weir policy key new prints one: ed25519:…")
		}
		for _, o := range list[:i] {
			if sameName(o.Name, s.Name) || o.Key == s.Key {
				return weir.Errorf(weir.Invalid, "%s and %s are one name or one key", o.Name, s.Name).Then("each person has one name and one key, and nobody else's")
			}
		}
	}
	return nil
}

// threshold is how many people have to sign.
const threshold = 2
