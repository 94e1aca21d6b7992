package shop

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"testing"
	"unicode/utf8"
)

// files makes the systems' files in memory.
func files(t *testing.T, c Config) map[string][]byte {
	t.Helper()
	g, out := New(c), map[string][]byte{}
	for _, s := range systems {
		var b bytes.Buffer
		if err := g.File(s.name, &b); err != nil {
			t.Fatal(err)
		}
		out[s.name] = b.Bytes()
	}
	return out
}

func TestFilesAreMadeInTheirOrder(t *testing.T) {
	t.Parallel()
	if err := New(Config{People: 10}).File("data/orders.ndjson", io.Discard); err == nil {
		t.Error("a file was made before what is drawn ahead of it")
	}
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	sum := func(c Config) string {
		made, h := files(t, c), sha256.New()
		for _, name := range slices.Sorted(maps.Keys(made)) {
			h.Write([]byte(name))
			h.Write(made[name])
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	a, b, other := sum(Config{People: 500}), sum(Config{People: 500}), sum(Config{People: 500, Seed: 2})
	if a != b {
		t.Error("the same seed gave other bytes")
	}
	if a == other {
		t.Error("another seed gave the same bytes")
	}
}

func TestTheDirtIsThere(t *testing.T) {
	t.Parallel()
	made := files(t, Config{})
	if utf8.Valid(made["data/crm.csv"]) {
		t.Error("the CRM's export is not in an old encoding")
	}
	for name, want := range map[string]string{"data/crm.csv": "C999;broken;row", "data/orders.ndjson": "O-broken", "data/optins.xml": "unsubscribe"} {
		if !bytes.Contains(made[name], []byte(want)) {
			t.Errorf("%s has no %q", name, want)
		}
	}
	if lines := bytes.Count(made["truth.csv"], []byte("\n")); lines < 12_000 {
		t.Errorf("the truth has %d lines", lines)
	}
}
