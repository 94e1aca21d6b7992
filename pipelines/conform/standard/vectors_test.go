package standard

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dataFile opens a file of the public test data, which lies beside the
// repository, or skips.
func dataFile(t *testing.T, name string) *os.File {
	t.Helper()
	root := os.Getenv("WEIR_TEST_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(root, name))
	if err != nil {
		t.Skipf("the public test data is not there (set WEIR_TEST_DATA to its folder): %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func lines[T any](t *testing.T, name string) []T {
	t.Helper()
	var out []T
	for s := bufio.NewScanner(dataFile(t, name)); s.Scan(); {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		t.Fatal("no vectors in ", name)
	}
	return out
}

func TestEmailVectors(t *testing.T) {
	type vector struct {
		Raw       string
		Valid     bool   `json:"is_valid_trimmed"`
		LowerTrim string `json:"lower_trim"`
	}
	for _, v := range lines[vector](t, "norm_emails/vectors.jsonl") {
		got, err := Email(v.Raw, &Context{})
		if (err == nil) != v.Valid || v.Valid && got != v.LowerTrim {
			t.Errorf("%q: got %q, %v; want %q, valid %t", v.Raw, got, err, v.LowerTrim, v.Valid)
		}
	}
}

// isemail's classes: what it calls an error, and what no mail form takes
// (comments, folded white space, address literals), is unusable here.
func TestEmailAgainstIsemail(t *testing.T) {
	var cases [][2]string
	if err := json.NewDecoder(dataFile(t, "norm_emails/isemail_tests.json")).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		raw, class := c[0], c[1]
		if strings.TrimSpace(raw) == "" || strings.TrimSpace(raw) != raw {
			continue // we trim, isemail does not
		}
		if strings.ContainsFunc(raw, func(r rune) bool { return r > 0xa0 }) {
			continue // isemail knows ASCII only, RFC 6532 allows more
		}
		_, err := Email(raw, &Context{})
		want := class == "valid" || class == "dnsWarnNoRecord" || class == "dnsWarnNoMXRecord" || class == "rfc5321QuotedString"
		_, domain, _ := strings.Cut(raw, "@")
		if !strings.Contains(domain, ".") || raw == `""@iana.org` || len(raw) > maxEmail {
			want = false // one label; nobody's mailbox; longer than a mail path
		}
		if (err == nil) != want {
			t.Errorf("%q (%s): %v", raw, class, err)
		}
	}
}

func TestPhoneVectors(t *testing.T) {
	type vector struct {
		Raw, E164 string
		Region    string `json:"default_region"`
		Valid     bool
	}
	vectors := lines[vector](t, "norm_phones/vectors_dev30.jsonl")
	wrong := 0
	for _, v := range vectors {
		got, err := Phone(v.Raw, &Context{Region: v.Region})
		if (err == nil && got != "") != v.Valid || v.Valid && got != v.E164 {
			wrong++
			t.Errorf("%q in %s: got %q, %v; want %q, valid %t", v.Raw, v.Region, got, err, v.E164, v.Valid)
		}
	}
	t.Logf("%d of %d phone vectors pass", len(vectors)-wrong, len(vectors))
}
