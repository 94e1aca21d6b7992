package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
)

// keyVariable names the file of the private key, for --key; passphraseVariable holds the
// passphrase of a key that is locked, where nobody can be asked.
const (
	keyVariable        = "WEIR_POLICY_KEY"
	passphraseVariable = "WEIR_POLICY_PASSPHRASE" //nolint:gosec // the name of one
)

func (a *app) policyKey() *cobra.Command {
	var name, out string
	var lock bool
	c := &cobra.Command{
		Use: "new --name NAME", Short: "Make a key pair, with which you sign policies",
		Long: `Writes a private key (ed25519) to a file that only you can read, outside the project, and
prints the public key for signers in weir.yaml. Keep the file to yourself: whoever has it
signs in your name. It is never printed, sent or stored elsewhere. With --passphrase, or
where WEIR_POLICY_PASSPHRASE is set, the file is locked with a passphrase (age, scrypt),
which every signature then asks for.`,
		Example: "  weir policy key new --name \"Ada Lovelace\" --passphrase", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if strings.TrimSpace(name) == "" {
				return weir.Errorf(weir.Invalid, "whose key is it?").Then("--name \"First Last\"")
			}
			var passphrase string
			if lock || os.Getenv(passphraseVariable) != "" {
				var err error
				if passphrase, err = a.passphrase("Passphrase for the new key: ", true); err != nil {
					return err
				}
			}
			path, public, err := a.newKey(name, out, passphrase)
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
	c.Flags().BoolVar(&lock, "passphrase", false, "lock the private key with a passphrase")
	c.Flags().StringVar(&out, "out", "", "the file of the private key; default: in your own settings, weir/keys")
	return group("key", "The keys with which officers sign policies",
		"  weir policy key new --name \"Ada Lovelace\"",
		c)
}

var notPlain = regexp.MustCompile(`[^a-z0-9]+`)

// passphrase is that of the environment, or what is typed, twice if it is a new one.
func (a *app) passphrase(prompt string, fresh bool) (string, error) {
	if p := os.Getenv(passphraseVariable); p != "" {
		return p, nil
	}
	f, _ := a.in.(*os.File)
	if !a.asks() {
		return "", weir.Errorf(weir.Invalid, "the key is locked, and nobody can be asked for its passphrase here").Then("set " + passphraseVariable)
	}
	ask := func(prompt string) (string, error) {
		_, _ = io.WriteString(a.errw, prompt)
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = io.WriteString(a.errw, "\n")
		if err != nil {
			return "", weir.Errorf(weir.Invalid, "the passphrase can't be read: %w", err).Then("set " + passphraseVariable)
		}
		return string(b), nil
	}
	p, err := ask(prompt)
	if err != nil || !fresh {
		return p, err
	}
	again, err := ask("The same again: ")
	switch {
	case err != nil:
		return "", err
	case p == "" || p != again:
		return "", weir.Errorf(weir.Invalid, "the two are not the same, or empty").Then("try again")
	}
	return p, nil
}

// newKey makes a key pair and writes the private one, locked if there is a passphrase;
// its file must not exist.
func (a *app) newKey(name, path, passphrase string) (file, public string, err error) {
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
	if err == nil && passphrase != "" {
		text, err = revisions.Lock(text, passphrase)
	}
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
	if revisions.Locked(b) {
		passphrase, err := a.passphrase("Passphrase of "+path+": ", false)
		if err == nil {
			b, err = revisions.Unlock(b, passphrase)
		}
		if err != nil {
			return nil, err
		}
	}
	k, err := revisions.ParsePrivate(b)
	var e *weir.Error
	if errors.As(err, &e) {
		err = e.At(path)
	}
	return k, err
}
