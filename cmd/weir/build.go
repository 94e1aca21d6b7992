package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.temporal.io/sdk/worker"
)

// nameBuild tells Temporal's library which build this is, by the file's size and
// time of change. It would else hash the whole binary, which takes longer than
// the rest of the start.
func nameBuild() {
	self, err := os.Executable()
	if err != nil {
		return // the library hashes, and tells what is wrong
	}
	if info, err := os.Stat(self); err == nil {
		worker.SetBinaryChecksum(fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano()))
	}
}

// buildName names this build so that newer ones sort after older ones: by the commit's
// time and revision; one from changed files, or without its history, also or only by
// when the program was made.
func buildName() string {
	vcs := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			vcs[s.Key] = s.Value
		}
	}
	made := time.Time{}
	if self, err := os.Executable(); err == nil {
		if info, err := os.Stat(self); err == nil {
			made = info.ModTime()
		}
	}
	return nameOf(vcs["vcs.time"], vcs["vcs.revision"], vcs["vcs.modified"] == "true", made)
}

func nameOf(committed, revision string, modified bool, made time.Time) string {
	const form = "20060102T150405Z"
	at, err := time.Parse(time.RFC3339, committed)
	if err != nil {
		return made.UTC().Format(form) + "-made"
	}
	name := fmt.Sprintf("%s-%.12s", at.UTC().Format(form), revision)
	if modified {
		name += "-changed-" + made.UTC().Format(form)
	}
	return name
}
