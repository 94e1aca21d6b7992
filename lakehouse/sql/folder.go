package sql

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	folderPrefix = "weir-sql-"
	holdName     = "hold"
	// unheld is how old a folder without a lock is before it counts as left: one that
	// is being made has none for a moment.
	unheld = time.Minute
)

// ownFolder makes an engine's folder, locked for as long as the process lives.
func ownFolder(temp string) (string, *os.File, error) {
	dir, err := os.MkdirTemp(temp, folderPrefix)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", nil, err
	}
	hold, err := os.OpenFile(filepath.Join(dir, holdName), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(hold.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, hold, nil
}

// sweep removes the folders of engines whose process was killed. A lock tells, not
// a process id: containers that share a disk have ids of their own.
func sweep(temp string) {
	if temp == "" {
		return // the system's folder is the system's to sweep
	}
	old, _ := filepath.Glob(filepath.Join(temp, folderPrefix+"*"))
	for _, dir := range old {
		hold, err := os.OpenFile(filepath.Join(dir, holdName), os.O_RDWR, 0)
		if err != nil {
			if st, serr := os.Stat(dir); serr == nil && time.Since(st.ModTime()) > unheld {
				_ = os.RemoveAll(dir)
			}
			continue
		}
		if syscall.Flock(int(hold.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir) // next time, if not now
		}
		_ = hold.Close()
	}
}
