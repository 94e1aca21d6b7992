package receiver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/weir-cdp/weir"
)

// logName is the file in the folder that keeps what came, a request per line.
const logName = "received.ndjson"

// Open makes a receiver that keeps what came in a folder and goes on from there.
// One process at a time may use a folder. Close it when done.
func Open(dir string) (*Receiver, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, weir.Errorf(weir.Invalid, "make the receiver's folder: %w", err).At(dir)
	}
	path := filepath.Join(dir, logName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "open what was received: %w", err).At(path)
	}
	r := New()
	end, err := r.replay(f)
	if err == nil {
		// A line that a kill broke off was never acknowledged.
		err = errors.Join(f.Truncate(end), seek(f, end))
	}
	if err != nil {
		return nil, errors.Join(weir.Errorf(weir.Invalid, "read what was received: %w", err).At(path).Then("name another --dir"), f.Close())
	}
	r.state.Requests, r.log = 0, f
	return r, nil
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, io.SeekStart)
	return err
}

// replay applies the whole lines and tells where they end.
func (r *Receiver) replay(f io.Reader) (end int64, err error) {
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		b, err := parse(bytes.NewReader(line))
		if err != nil {
			return end, err
		}
		r.apply(b)
		end += int64(len(line))
	}
}

// Close ends a receiver's use of its folder.
func (r *Receiver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log == nil {
		return nil
	}
	err := r.log.Close()
	r.log = nil
	return err
}
