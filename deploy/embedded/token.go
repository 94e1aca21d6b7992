package embedded

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.temporal.io/server/common/authorization"

	"github.com/weir-cdp/weir"
)

// The tokens of a folder, files of mode 0600. Whoever can read one is its owner:
// another user of the machine, or a web page, cannot.
const (
	temporalToken = "temporal-token"
	// MetricsToken is the file of the token that a scraper of metrics sends. It
	// opens nothing else, so that it may be copied to the scraper's user.
	MetricsToken = "metrics-token"
)

// tokenBytes is the length of a token before it is written in hexadecimal.
const tokenBytes = 32

// Token reads a token of the folder dir, or makes it once. Invalid: the file holds
// something else.
func Token(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		token := strings.TrimSpace(string(b))
		if raw, err := hex.DecodeString(token); err != nil || len(raw) != tokenBytes {
			return "", weir.Errorf(weir.Invalid, "this is no token").At(path).Then("remove the file: another one is made, no data is lost")
		}
		return token, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", unusable(path, err)
	}
	raw := make([]byte, tokenBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", weir.Errorf(weir.Internal, "no random numbers: %w", err)
	}
	token := hex.EncodeToString(raw)
	return token, folder(dir).write(name, []byte(token+"\n"), 0o600)
}

// SameToken compares two secrets in a time that does not depend on where they
// differ.
func SameToken(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// derived makes the key of one use from a token.
func derived(token, use string) []byte {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte(use))
	return m.Sum(nil)
}

// bearer is a token as an Authorization header; it is also what sends it with
// every call of a Temporal client.
type bearer string

func (b bearer) header() string { return "Bearer " + string(b) }

// GetHeaders implements client.HeadersProvider.
func (b bearer) GetHeaders(context.Context) (map[string]string, error) {
	return map[string]string{"authorization": b.header()}, nil
}

// GetClaims implements authorization.ClaimMapper: who sends the token may
// everything, everybody else what needs no claim, which is to ask whether the
// server lives. The server's own workers don't come this way: they have a
// frontend of their own (internode.go).
func (b bearer) GetClaims(info *authorization.AuthInfo) (*authorization.Claims, error) {
	if info == nil || !SameToken(info.AuthToken, b.header()) {
		return &authorization.Claims{}, nil
	}
	return &authorization.Claims{System: authorization.RoleAdmin, Subject: "weir", AuthType: "token"}, nil
}

var _ authorization.ClaimMapper = bearer("")
