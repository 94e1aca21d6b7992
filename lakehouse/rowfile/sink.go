package rowfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// sink takes a file's bytes before its name is known: in memory up to a limit,
// then in a temporary file.
type sink struct {
	limit int64
	size  int64
	sum   hash.Hash // nil: not asked for
	mem   bytes.Buffer
	file  *os.File
}

func newSink(limit int64, digest bool) *sink {
	s := &sink{limit: limit}
	if digest {
		s.sum = sha256.New()
	}
	return s
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.sum != nil {
		s.sum.Write(p)
	}
	if s.file == nil && s.size+int64(len(p)) > s.limit {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	n, err := len(p), error(nil)
	if s.file != nil {
		n, err = s.file.Write(p)
	} else {
		s.mem.Write(p)
	}
	s.size += int64(n)
	if err != nil {
		return n, weir.Errorf(weir.Unavailable, "can't write a temporary file: %w", err).
			At(s.file.Name()).Then("free space there, or set TMPDIR to a larger disk")
	}
	return n, nil
}

func (s *sink) spill() error {
	f, err := os.CreateTemp("", "weir-rowfile-*.parquet")
	if err == nil {
		_, err = f.Write(s.mem.Bytes())
		s.file = f
	}
	if err != nil {
		return weir.Errorf(weir.Unavailable, "can't write a temporary file: %w", err).
			At(os.TempDir()).Then("free space there, or set TMPDIR to a larger disk")
	}
	s.mem = bytes.Buffer{}
	return nil
}

func (s *sink) reader() io.ReadSeeker {
	if s.file != nil {
		return io.NewSectionReader(s.file, 0, s.size)
	}
	return bytes.NewReader(s.mem.Bytes())
}

// publish puts the bytes under a key.
func (s *sink) publish(ctx context.Context, store *object.Store, key string) error {
	return store.Put(ctx, key, s.reader(), s.size)
}

// publishByContent puts the bytes under a name made from their hash and returns
// it. An object of that name and size has these bytes already.
func (s *sink) publishByContent(ctx context.Context, store *object.Store, dir string) (key string, err error) {
	key = dir + "/" + hex.EncodeToString(s.sum.Sum(nil))[:32] + ".parquet"
	switch info, err := store.Stat(ctx, key); {
	case err == nil && info.Size == s.size:
		return key, nil
	case err != nil && weir.CodeOf(err) != weir.NotFound:
		return "", err
	}
	return key, s.publish(ctx, store, key)
}

// discard frees what the sink holds.
func (s *sink) discard() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
	s.file, s.mem = nil, bytes.Buffer{}
}
