package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profile writes a CPU profile of this process into the folder that WEIR_PROFILE
// names; children get a file each. It returns what ends it.
func profile() (stop func()) {
	dir := os.Getenv("WEIR_PROFILE")
	if dir == "" {
		return func() {}
	}
	name := "weir"
	if len(os.Args) > 1 {
		name = filepath.Base(os.Args[1])
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.prof", name, os.Getpid())))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "weir: WEIR_PROFILE: %v\n", err)
		return func() {}
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}
}
