package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"github.com/weir-cdp/weir"
)

// SaltSize is the size of a person's salt in bytes.
const SaltSize = 32

// Person is what one salt stands for: one address, by which a person is known.
type Person struct {
	Who    string // the pseudonym
	token  []byte // hashes the ids of statements
	commit []byte // hashes what was said
	nonce  []byte
	seal   cipher.AEAD
}

// NewPerson derives a person's pseudonym and keys from a salt (HKDF-SHA256, RFC 5869).
func NewPerson(salt []byte) (Person, error) {
	if len(salt) != SaltSize {
		return Person{}, weir.Errorf(weir.Internal, "a salt of %d bytes", len(salt))
	}
	b, err := hkdf.Key(sha256.New, salt, nil, "weir consent ledger 1", 4*32+16)
	if err != nil {
		return Person{}, weir.Errorf(weir.Internal, "derive a person's keys: %w", err)
	}
	block, err := aes.NewCipher(b[:32])
	if err != nil {
		return Person{}, weir.Errorf(weir.Internal, "derive a person's keys: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return Person{}, weir.Errorf(weir.Internal, "derive a person's keys: %w", err)
	}
	return Person{Who: "w_" + hex.EncodeToString(b[128:]), token: b[32:64], commit: b[64:96], nonce: b[96:128], seal: gcm}, nil
}

func keyed(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// Statement is the id of a statement in the ledger.
func (p Person) Statement(consentID string) string {
	return hex.EncodeToString(keyed(p.token, []byte(consentID))[:16])
}

// Commitment is a keyed hash of what a statement says. Two mappings that make the
// same of a row give the same commitment; so does a row that was collected again,
// unless the time of its collecting is all that dates it.
func (p Person) Commitment(c *weir.Consent) string {
	var b canonical
	b.text(c.ID, c.Kind, c.Value, c.Purpose, c.Channel, string(c.Action), c.Basis, c.Jurisdiction, c.Proof, c.Method, c.Actor, c.Notice, c.NoticeHash, c.RawSignal, c.Source, c.Stream)
	b.flag(c.Explicit)
	b.time(c.OccurredAt, c.ExpiresAt)
	if c.OccurredAt.IsZero() {
		b.time(c.RecordedAt)
	}
	return hex.EncodeToString(keyed(p.commit, b)[:16])
}

// personal is what of an entry is sealed.
type personal struct {
	ID        string `json:"id"`
	Value     string `json:"value"`
	Proof     string `json:"proof,omitempty"`
	RawSignal string `json:"raw_signal,omitempty"`
	Actor     string `json:"actor,omitempty"`
}

// State makes the entry that says what a consent says. Number, batch, change,
// supersedes and leaf hash are the caller's to set.
func (p Person) State(c *weir.Consent) (weir.LedgerEntry, error) {
	e := weir.LedgerEntry{Statement: p.Statement(c.ID), Who: p.Who, Kind: c.Kind, Purpose: c.Purpose, Channel: c.Channel, Action: c.Action,
		Basis: c.Basis, Explicit: c.Explicit, Jurisdiction: c.Jurisdiction, Notice: c.Notice, NoticeHash: c.NoticeHash, Method: c.Method,
		OccurredAt: c.OccurredAt, RecordedAt: c.RecordedAt, ExpiresAt: c.ExpiresAt, Source: c.Source, Stream: c.Stream,
		MappingVersion: c.MappingVersion, Commitment: p.Commitment(c)}
	text, err := json.Marshal(personal{ID: c.ID, Value: c.Value, Proof: c.Proof, RawSignal: c.RawSignal, Actor: c.Actor})
	if err != nil {
		return e, weir.Errorf(weir.Internal, "seal an entry: %w", err)
	}
	// The nonce is a keyed hash of what is sealed: the same statement seals to the
	// same bytes (invariant 2), and no nonce meets another text.
	with := sealedWith(&e)
	nonce := keyed(p.nonce, append(with, text...))[:p.seal.NonceSize()]
	e.Sealed = base64.StdEncoding.EncodeToString(p.seal.Seal(nonce, nonce, text, with))
	return e, nil
}

// sealedWith is what a sealed part can't be moved away from.
func sealedWith(e *weir.LedgerEntry) []byte {
	var b canonical
	b.text(e.Statement, e.Who, e.Commitment)
	return b
}

// Open gives back the consent that an entry states. It fails where the entry is of
// another person, or was altered.
func (p Person) Open(e *weir.LedgerEntry) (weir.Consent, error) {
	c := weir.Consent{Kind: e.Kind, Purpose: e.Purpose, Channel: e.Channel, Action: e.Action, Basis: e.Basis, Explicit: e.Explicit,
		Jurisdiction: e.Jurisdiction, Notice: e.Notice, NoticeHash: e.NoticeHash, Method: e.Method, OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt,
		ExpiresAt: e.ExpiresAt, Source: e.Source, Stream: e.Stream, MappingVersion: e.MappingVersion}
	bad := func() (weir.Consent, error) {
		return weir.Consent{}, weir.Errorf(weir.Invalid, "the personal part of entry %d can't be opened", e.Entry)
	}
	b, err := base64.StdEncoding.DecodeString(e.Sealed)
	if err != nil || len(b) < p.seal.NonceSize() {
		return bad()
	}
	text, err := p.seal.Open(nil, b[:p.seal.NonceSize()], b[p.seal.NonceSize():], sealedWith(e))
	if err != nil {
		return bad()
	}
	var in personal
	if err := json.Unmarshal(text, &in); err != nil {
		return bad()
	}
	c.ID, c.Value, c.Proof, c.RawSignal, c.Actor = in.ID, in.Value, in.Proof, in.RawSignal, in.Actor
	if p.Statement(c.ID) != e.Statement || p.Commitment(&c) != e.Commitment {
		return bad()
	}
	return c, nil
}
