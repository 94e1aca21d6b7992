package project

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/weir-cdp/weir"
)

var reference = regexp.MustCompile(`\$\{(env|file):([^}]+)\}`)

// IsReference tells whether a text takes its value from a secret.
func IsReference(s string) bool { return reference.MatchString(s) }

// Resolver turns references into values. Its zero value reads the process's
// environment, and files relative to Dir.
type Resolver struct {
	Dir    string
	Getenv func(string) (string, bool) // nil: os.LookupEnv
}

// Text replaces each ${env:NAME} and ${file:PATH} of s.
func (v Resolver) Text(s string) (string, error) {
	var first error
	out := reference.ReplaceAllStringFunc(s, func(ref string) string {
		m := reference.FindStringSubmatch(ref)
		value, err := v.lookup(m[1], m[2])
		if err != nil && first == nil {
			first = err
		}
		return value
	})
	return out, first
}

func (v Resolver) lookup(kind, name string) (string, error) {
	if kind == "env" {
		get := v.Getenv
		if get == nil {
			get = os.LookupEnv
		}
		value, ok := get(name)
		if !ok {
			return "", weir.Errorf(weir.Invalid, "environment variable %s is not set", name).Then("export " + name + "=… and try again")
		}
		return value, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(v.Dir, path)
	}
	b, err := readSecret(path)
	if err != nil {
		return "", weir.Errorf(weir.Invalid, "secret file %s can't be read: %w", name, err).Then("create it as a plain file, readable by this user alone")
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// Settings resolves every text of a raw settings tree into a copy.
func (v Resolver) Settings(raw map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(raw))
	for k, x := range raw {
		y, err := v.any(x)
		if err != nil {
			return nil, err
		}
		out[k] = y
	}
	return out, nil
}

func (v Resolver) any(x any) (any, error) {
	switch x := x.(type) {
	case string:
		return v.Text(x)
	case map[string]any:
		return v.Settings(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			y, err := v.any(x[i])
			if err != nil {
				return nil, err
			}
			out[i] = y
		}
		return out, nil
	}
	return x, nil
}

// maxSecret bounds a secret file: no secret is longer, a device never ends.
const maxSecret = 64 << 10

func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, errors.Unwrap(err) // without the path, which the message has
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no plain file")
	case info.Size() > maxSecret:
		return nil, errors.New("it is larger than 64 KiB")
	}
	return os.ReadFile(path)
}
