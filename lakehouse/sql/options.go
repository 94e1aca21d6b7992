package sql

import (
	"runtime"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// Options of an engine.
type Options struct {
	Store *object.Store
	// CacheDir keeps downloaded data files between sessions, where the store's
	// objects are not plain files of this machine; "": each session downloads
	// what it needs into TempDir.
	CacheDir string
	// CacheBytes is how much CacheDir holds, the least recently used goes first;
	// 0: 8 GiB.
	CacheBytes int64
	// TempDir takes what exceeds memory; "": the system's folder for temporary
	// files. Each engine makes a folder of its own in it, and removes it.
	TempDir string
	// MemoryLimit in bytes; 0: 1 GiB.
	MemoryLimit int64
	// Threads; 0: one per CPU.
	Threads int
}

func (o Options) filled() (Options, error) {
	if o.Store == nil {
		return o, weir.Errorf(weir.Internal, "SQL needs an object store")
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 8 << 30
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 1 << 30
	}
	if o.Threads == 0 {
		o.Threads = runtime.NumCPU()
	}
	return o, nil
}
