package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/weir-cdp/weir"
)

// holder is what the lock file says of the process that holds it.
type holder struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
}

// lock is a held folder. The kernel frees it when the process ends, however it
// ends; children do not inherit it.
type lock struct{ file *os.File }

const lockFile = "lock"

// takeWait outlasts Running, which holds the lock for a moment.
const takeWait = 500 * time.Millisecond

// take locks the folder or says who holds it (Conflict).
func take(ctx context.Context, dir string, by holder) (*lock, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unusable(dir, err)
	}
	ctx, cancel := context.WithTimeout(ctx, takeWait)
	defer cancel()
	var failed error
	if !poll(ctx, 20*time.Millisecond, func() bool {
		failed = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		return !errors.Is(failed, syscall.EWOULDBLOCK)
	}) {
		other := readHolder(file)
		return nil, errors.Join(weir.Errorf(weir.Conflict, "%s is already running on this folder (pid %d)", other.Command, other.PID).
			At(dir).Then("stop it first"), file.Close())
	}
	if failed == nil {
		failed = writeHolder(file, by)
	}
	if failed != nil {
		return nil, errors.Join(unusable(dir, failed), file.Close())
	}
	return &lock{file}, nil
}

func readHolder(file *os.File) holder {
	h := holder{Command: "weir"}
	b, err := io.ReadAll(io.NewSectionReader(file, 0, 4096))
	if err == nil {
		_ = json.Unmarshal(b, &h) // a half-written note is as none
	}
	return h
}

func writeHolder(file *os.File, h holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(append(b, '\n'), 0)
	return err
}

// release frees the folder. The file stays: removing it would let two hold
// different files of one name.
func (l *lock) release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("the lock of the folder: %w", err)
	}
	return nil
}

// held says whether a living process holds the folder, and which.
func held(dir string) (holder, bool) {
	file, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return holder{}, false
	}
	defer file.Close()
	if !errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
		return holder{}, false
	}
	return readHolder(file), true
}

// startAlone waits until no other platform of this user is choosing its ports or
// starting to listen on them, and keeps others from it until release is called. It
// is no lock that anything's safety rests on: where it cannot be had, two that
// start at the same moment may want one port, and one of them fails.
func startAlone(ctx context.Context) (release func()) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("weir-start-%d.lock", os.Getuid()))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return func() {}
	}
	poll(ctx, 20*time.Millisecond, func() bool {
		return !errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
	})
	return func() { _ = file.Close() } // which frees it
}
