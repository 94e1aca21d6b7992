package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
)

// keyVariable names the file of the private key, for --key.
const keyVariable = "WEIR_POLICY_KEY"

func (a *app) policyKey() *cobra.Command {
	var name, out string
	c := &cobra.Command{
		Use: "new --name NAME", Short: "Make a key pair, with which you sign policies",
		Long: `Writes a private key (ed25519) to a file that only you can read, outside the project, and
prints the public key for signers in weir.yaml. Keep the file to yourself: whoever has it
signs in your name. It is never printed, sent or stored elsewhere.`,
		Example: "  weir policy key new --name \"Ada Lovelace\"", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if strings.TrimSpace(name) == "" {
				return weir.Errorf(weir.Invalid, "whose key is it?").Then("--name \"First Last\"")
			}
			path, public, err := a.newKey(name, out)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"name": name, "key": public, "file": path})
			}
			a.printf("private key in %s\n\nfor weir.yaml:\n\nsigners:\n  - {name: %q, key: %q}\n", path, name, public)
			return nil
		},
	}
	c.Flags().StringVar(&name, "name", "", "your name, as signers in weir.yaml shall have it")
	c.Flags().StringVar(&out, "out", "", "the file of the private key; default: in your own settings, weir/keys")
	return group("key", "The keys with which officers sign policies", c)
}

var notPlain = regexp.MustCompile(`[^a-z0-9]+`)

// newKey makes a key pair and writes the private one, which must not exist.
func (a *app) newKey(name, path string) (file, public string, err error) {
	if path == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return "", "", weir.Errorf(weir.Invalid, "no folder for settings is known: %w", err).Then("name a file with --out")
		}
		path = filepath.Join(dir, "weir", "keys", strings.Trim(notPlain.ReplaceAllString(strings.ToLower(name), "-"), "-")+".pem")
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", "", weir.Errorf(weir.Invalid, "%w", err)
	}
	if a.inside(path) {
		return "", "", weir.Errorf(weir.Denied, "a private key does not belong into the project, which others read").At(path).Then("name a file elsewhere with --out")
	}
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", weir.Errorf(weir.Internal, "make a key: %w", err)
	}
	text, err := revisions.FormatPrivate(private)
	if err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", "", weir.Errorf(weir.Invalid, "%w", err).Then("name a file with --out")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // where its owner wants it
	if errors.Is(err, fs.ErrExist) {
		return "", "", weir.Errorf(weir.Conflict, "there is a file already").At(path).Then("name another file with --out; a key that is lost can't be made again")
	}
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return "", "", weir.Errorf(weir.Invalid, "the key can't be written: %w", err).At(path)
	}
	return path, revisions.FormatPublic(pub), nil
}

// inside tells whether a file would be in the project, links followed.
func (a *app) inside(path string) bool {
	if _, err := os.Stat(filepath.Join(a.dir, "weir.yaml")); err != nil {
		return false
	}
	real := func(p string) string {
		for rest := ""; ; {
			if r, err := filepath.EvalSymlinks(p); err == nil {
				return filepath.Join(r, rest)
			}
			if filepath.Dir(p) == p {
				return filepath.Join(p, rest)
			}
			p, rest = filepath.Dir(p), filepath.Join(filepath.Base(p), rest)
		}
	}
	rel, err := filepath.Rel(real(a.dir), real(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// privateKey reads the key that --key, the environment or the one file of the settings
// names. Others must not be able to read it.
func (a *app) privateKey(path string) (ed25519.PrivateKey, error) {
	if path == "" {
		path = os.Getenv(keyVariable)
	}
	if path == "" {
		if dir, err := os.UserConfigDir(); err == nil {
			if found, _ := filepath.Glob(filepath.Join(dir, "weir", "keys", "*.pem")); len(found) == 1 {
				path = found[0]
			}
		}
	}
	if path == "" {
		return nil, weir.Errorf(weir.Invalid, "which key signs?").Then("name its file with --key or " + keyVariable + "; make one with weir policy key new")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the key can't be read: %w", err).Then("name its file with --key")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, weir.Errorf(weir.Denied, "others can read this private key").At(path).Then("chmod 600 " + path + "; if somebody may have read it, make a new one and change signers")
	}
	b, err := os.ReadFile(path) //nolint:gosec // the file that its owner names
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the key can't be read: %w", err)
	}
	k, err := revisions.ParsePrivate(b)
	var e *weir.Error
	if errors.As(err, &e) {
		err = e.At(path)
	}
	return k, err
}
