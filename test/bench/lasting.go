package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/weir-cdp/weir/test/clustertest"
)

// lasting stands for the test that a cluster's parts are started for: they last until
// end. The methods are those that package clustertest calls.
type lasting struct {
	testing.TB
	cleanups []func()
	failed   error
}

// flink starts a cluster, or says what is missing.
func (l *lasting) flink(o clustertest.FlinkOptions) (f *clustertest.Flink, err error) {
	done := make(chan struct{})
	go func() { // a failure ends the goroutine, as a test's does
		defer close(done)
		f = clustertest.StartFlink(l, o)
	}()
	<-done
	return f, l.failed
}

// end stops all parts, the last one first.
func (l *lasting) end() {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
}

func (l *lasting) Helper()           {}
func (l *lasting) Failed() bool      { return l.failed != nil }
func (l *lasting) Cleanup(f func())  { l.cleanups = append(l.cleanups, f) }
func (l *lasting) Fatal(args ...any) { l.fail(fmt.Sprintln(args...)) }
func (l *lasting) Skip(args ...any)  { l.fail(fmt.Sprintln(args...)) }

func (l *lasting) Fatalf(format string, args ...any) { l.fail(fmt.Sprintf(format, args...)) }

func (l *lasting) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (l *lasting) TempDir() string {
	dir, err := os.MkdirTemp("", "weir-cluster")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (l *lasting) fail(why string) {
	l.failed = errors.New(why)
	runtime.Goexit()
}
