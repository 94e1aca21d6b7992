package embedded

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/weir-cdp/weir"
)

// room is how many bytes a disk must have left: the server's journals and one
// commit need as much. With less, what runs is stopped while it can still be told.
const room = 16 << 20

// Room says that the disk of a folder, or of the nearest one above it that there
// is, has too little left to go on (Unavailable), or nil.
func Room(dir string) error { return roomOf(dir, room) }

func roomOf(dir string, need uint64) error {
	var s syscall.Statfs_t
	for {
		err := syscall.Statfs(dir, &s)
		if err == nil {
			break
		}
		if up := filepath.Dir(dir); os.IsNotExist(err) && up != dir {
			dir = up
			continue
		}
		return nil // who uses the folder says it better
	}
	free := uint64(s.Bavail) * uint64(s.Bsize) //nolint:unconvert // the types differ between systems
	if free >= need {
		return nil
	}
	return weir.Errorf(weir.Unavailable, "the disk is full: %d MiB are left, at least %d are needed", free>>20, need>>20).At(dir).
		Then("make room on it, then do it again; what was committed stays")
}

// roomEvery is how often a disk is looked at.
const roomEvery = 250 * time.Millisecond

// AwaitRoom returns when a folder's disk has room: at once, or after it was full when
// there is twice the least, so that work does not stop again at its first file. The
// error is that of a context that ended before.
func AwaitRoom(ctx context.Context, dir string) error {
	if Room(dir) == nil {
		return nil
	}
	if !poll(ctx, roomEvery, func() bool { return roomOf(dir, 2*room) == nil }) {
		return ctx.Err()
	}
	return nil
}

// WithRoom gives a context that is cancelled, with Room's error as its cause, when
// the folder's disk gets full. Call stop when done.
func WithRoom(ctx context.Context, dir string) (watched context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(roomEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := Room(dir); err != nil {
					cancel(err)
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}
