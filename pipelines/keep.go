package pipelines

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/weir-cdp/weir"
)

// This file says where a run leaves an index, from which the stage's next run may go on
// with an increment, and how that says that it can't.

// Keep says where a run leaves its index.
type Keep struct {
	Prefix string `json:"prefix"` // of object keys; ends with a slash
	// Basis is a digest of what decides beside the tables: an increment needs the same.
	Basis string `json:"basis"`
	// From is the key of the manifest of the index from which an increment may go on.
	From string `json:"from,omitempty"`
}

// IndexPrefix is where all of a run's index lies, below where a stage's indexes lie.
func IndexPrefix(all string, run weir.RunID) string { return fmt.Sprintf("%s%s/", all, run) }

// IndexManifest is where the manifest of an index lies.
func IndexManifest(prefix string) string { return prefix + "index.json" }

// RefusedKey is where an increment that could not be done says why: then the full
// pipeline has to run.
func RefusedKey(prefix string) string { return prefix + "refused" }

// Refuse ends an increment that its index does not allow. Why names a count; cause may
// be nil.
func (k *Keep) Refuse(t *Task, why string, cause error) error {
	if err := put(t, RefusedKey(k.Prefix), []byte(why)); err != nil {
		return err
	}
	if cause != nil {
		return weir.Errorf(weir.Conflict, "the increment was refused: %s: %v", why, cause)
	}
	return weir.Errorf(weir.Conflict, "the increment was refused: %s", why)
}

// Write stores the manifest of the run's index.
func (k *Keep) Write(t *Task, manifest any) error {
	data, err := json.Marshal(manifest)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode the index's manifest: %w", err)
	}
	return put(t, IndexManifest(k.Prefix), data)
}

func put(t *Task, key string, data []byte) error {
	return t.Store().Put(t.Context(), key, bytes.NewReader(data), int64(len(data)))
}
