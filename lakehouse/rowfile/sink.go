package rowfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	mem   segments
	file  *os.File
}

func newSink(limit int64) *sink { return &sink{limit: limit} }

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.file == nil && s.size+int64(len(p)) > s.limit {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	n, err := len(p), error(nil)
	if s.file != nil {
		n, err = s.file.Write(p)
	} else {
		s.mem.write(p)
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
		_, err = io.Copy(f, s.reader())
		s.file = f
	}
	if err != nil {
		return weir.Errorf(weir.Unavailable, "can't write a temporary file: %w", err).
			At(os.TempDir()).Then("free space there, or set TMPDIR to a larger disk")
	}
	s.mem = segments{}
	return nil
}

func (s *sink) reader() io.ReadSeeker { return io.NewSectionReader(s.at(), 0, s.size) }

func (s *sink) at() io.ReaderAt {
	if s.file != nil {
		return s.file
	}
	return &s.mem
}

// overwrite replaces bytes that are there.
func (s *sink) overwrite(at int64, p []byte) error {
	if s.file == nil {
		s.mem.overwrite(at, p)
		return nil
	}
	if _, err := s.file.WriteAt(p, at); err != nil {
		return weir.Errorf(weir.Unavailable, "can't write a temporary file: %w", err).At(s.file.Name())
	}
	return nil
}

// publish puts the bytes under a key.
func (s *sink) publish(ctx context.Context, store *object.Store, key string) error {
	return store.Put(ctx, key, s.reader(), s.size)
}

// publishByContent puts the bytes under a name made from their hash and returns
// it. An object of that name and size has these bytes already.
func (s *sink) publishByContent(ctx context.Context, store *object.Store, dir string) (key string, err error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, s.reader()); err != nil {
		return "", weir.Errorf(weir.Unavailable, "can't read what was written: %w", err).At(dir)
	}
	key = dir + "/" + hex.EncodeToString(sum.Sum(nil))[:32] + ".parquet"
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
	s.file, s.mem = nil, segments{}
}

// segments are bytes in memory that grow without moving.
type segments struct {
	full [][]byte // of segmentBytes each
	last []byte
}

const segmentBytes = 1 << 20

func (s *segments) write(p []byte) {
	for len(p) > 0 {
		if len(s.last) == segmentBytes {
			s.full, s.last = append(s.full, s.last), make([]byte, 0, segmentBytes)
		}
		n := min(len(p), segmentBytes-len(s.last))
		s.last = append(s.last, p[:n]...) // the first one grows: most files are small
		p = p[n:]
	}
}

// overwrite replaces bytes that are there.
func (s *segments) overwrite(at int64, p []byte) {
	for len(p) > 0 {
		segment := s.last
		if i := int(at / segmentBytes); i < len(s.full) {
			segment = s.full[i]
		}
		n := copy(segment[at%segmentBytes:], p)
		p, at = p[n:], at+int64(n)
	}
}

// ReadAt implements io.ReaderAt, which a section of the bytes is read by.
func (s *segments) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		i, from := int(at/segmentBytes), int(at%segmentBytes)
		segment := s.last
		if i < len(s.full) {
			segment = s.full[i]
		}
		if i > len(s.full) || from >= len(segment) {
			return n, io.EOF
		}
		k := copy(p[n:], segment[from:])
		n, at = n+k, at+int64(k)
	}
	return n, nil
}
