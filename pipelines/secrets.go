package pipelines

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/weir-cdp/weir/lakehouse/object"
)

// SecretKey is where the workspace's own secret lies: it keys hashes of personal
// values, and never leaves the lake but to the workspace's processes.
const SecretKey = "workspace/secret"

// Secrets derives a secret for each use from the workspace's, by HMAC-SHA256; NotFound
// where the workspace has none yet.
func Secrets(ctx context.Context, s *object.Store, uses []string) (map[string]string, error) {
	secret, err := s.ReadFile(ctx, SecretKey)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, use := range uses {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(use))
		out[use] = hex.EncodeToString(m.Sum(nil))
	}
	return out, nil
}
