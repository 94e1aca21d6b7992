package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
)

// A private key is its owner's alone: outside the project, in a file that nobody else can
// read, never overwritten.
func TestPrivateKeysStayPrivate(t *testing.T) {
	a := &app{dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(a.dir, "weir.yaml"), []byte("name: shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	link := filepath.Join(elsewhere, "link")
	if err := os.Symlink(a.dir, link); err != nil {
		t.Fatal(err)
	}
	for _, inside := range []string{filepath.Join(a.dir, "ada.pem"), filepath.Join(a.dir, "keys", "new", "ada.pem"), filepath.Join(link, "ada.pem")} {
		if _, _, err := a.newKey("Ada", inside, ""); weir.CodeOf(err) != weir.Denied {
			t.Errorf("%s: %v", inside, err)
		}
	}
	t.Setenv("XDG_CONFIG_HOME", elsewhere)
	t.Setenv("HOME", elsewhere)
	path, public, err := a.newKey("Ada Lovelace", "", "")
	if err != nil || !strings.HasSuffix(path, filepath.Join("weir", "keys", "ada-lovelace.pem")) {
		t.Fatalf("%s %v", path, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, _, err := a.newKey("Ada Lovelace", "", ""); weir.CodeOf(err) != weir.Conflict {
		t.Errorf("overwritten: %v", err)
	}
	k, err := a.privateKey("") // the one of the settings
	if err != nil {
		t.Fatal(err)
	}
	if s, err := revisions.Owner([]weir.Signer{{Name: "Ada", Key: public}}, k); err != nil || s.Name != "Ada" {
		t.Errorf("%v %v", s, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := a.privateKey(path); weir.CodeOf(err) != weir.Denied {
		t.Errorf("others can read it, and it signs: %v", err)
	}
}

// A locked key holds nothing that signs without its passphrase.
func TestLockedKeysNeedTheirPassphrase(t *testing.T) {
	a := &app{dir: t.TempDir()}
	path, public, err := a.newKey("Ada", filepath.Join(t.TempDir(), "ada.pem"), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !revisions.Locked(b) || strings.Contains(string(b), "PRIVATE KEY") {
		t.Errorf("%s %v", b, err)
	}
	for _, x := range []struct {
		passphrase string
		code       weir.Code
	}{{"correct horse", ""}, {"battery staple", weir.Denied}, {"", weir.Invalid}} { // "": nobody can be asked in a test
		t.Setenv(passphraseVariable, x.passphrase)
		k, err := a.privateKey(path)
		if weir.CodeOf(err) != x.code {
			t.Errorf("%q: %v", x.passphrase, err)
		}
		if err == nil {
			if _, err := revisions.Owner([]weir.Signer{{Name: "Ada", Key: public}}, k); err != nil {
				t.Errorf("%q: %v", x.passphrase, err)
			}
		}
	}
}

// What is extracted stays below its folder.
func TestExtractedPoliciesStayBelow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if err := extractPolicy(dir, map[string]string{"data/a.yaml": "x"}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "data", "a.yaml")); err != nil || string(b) != "x" {
		t.Errorf("%q %v", b, err)
	}
	if err := extractPolicy(filepath.Join(t.TempDir(), "out"), map[string]string{"../evil": "x"}); err == nil {
		t.Error("a file was written above the folder")
	}
	if err := extractPolicy(dir, nil); weir.CodeOf(err) != weir.Conflict {
		t.Errorf("%v", err)
	}
}
