package shop

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"unicode/utf8"
)

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	sum := func(c Config) string {
		files, err := Files(c)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		for _, name := range slices.Sorted(maps.Keys(files)) {
			h.Write([]byte(name))
			h.Write(files[name])
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
	files, err := Files(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if utf8.Valid(files["data/crm.csv"]) {
		t.Error("the CRM's export is not in an old encoding")
	}
	for name, want := range map[string]string{"data/crm.csv": "C999;broken;row", "data/orders.ndjson": "O-broken", "data/optins.xml": "unsubscribe"} {
		if !bytes.Contains(files[name], []byte(want)) {
			t.Errorf("%s has no %q", name, want)
		}
	}
	if lines := bytes.Count(files["truth.csv"], []byte("\n")); lines < 12_000 {
		t.Errorf("the truth has %d lines", lines)
	}
}
