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
func Room(dir string) error {
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
	if free >= room {
		return nil
	}
	return weir.Errorf(weir.Unavailable, "the disk is full: %d MiB are left, at least %d are needed", free>>20, room>>20).At(dir).
		Then("make room on it, then do it again; what was committed stays")
}

// WithRoom gives a context that is cancelled, with Room's error as its cause, when
// the folder's disk gets full. Call stop when done.
func WithRoom(ctx context.Context, dir string) (watched context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(250 * time.Millisecond)
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
