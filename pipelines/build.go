package pipelines

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// buildID is set by the linker (see the Makefile): a digest of the sources, so that
// two programs built of the same have the same.
var buildID string

// Build names the sources and the compiler of this program. A cluster's worker must
// be of the submitter's build: other code may cut or write rows in another way. Without
// the linker's value it is the revision of the version control system, which two builds
// of changed files may share; "unknown" where there is none.
var Build = sync.OnceValue(func() string {
	id := buildID
	if info, ok := debug.ReadBuildInfo(); id == "" && ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				id = s.Value[:min(len(s.Value), 12)]
			case s.Key == "vcs.modified" && s.Value == "true" && id != "":
				id += "-modified"
			}
		}
	}
	if id == "" {
		id = "unknown"
	}
	return id + " (" + runtime.Version() + ")"
})
