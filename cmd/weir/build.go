package main

import (
	"fmt"
	"os"

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
