package main

import (
	"slices"
	"testing"
	"time"
)

// TestBuildNamesSort: a build of a later commit, or of files changed later, sorts after.
func TestBuildNamesSort(t *testing.T) {
	made := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	names := []string{
		nameOf("2026-01-01T12:00:00+02:00", "ffffffffffffffff", false, made),
		nameOf("2026-01-01T11:00:00Z", "aaaaaaaaaaaaaaaa", false, made),
		nameOf("2026-01-01T11:00:00Z", "aaaaaaaaaaaaaaaa", true, made),
		nameOf("2026-01-01T11:00:00Z", "aaaaaaaaaaaaaaaa", true, made.Add(time.Second)),
		nameOf("2026-01-02T00:00:00Z", "0000000000000000", false, made),
		nameOf("", "", false, made),
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("%q", names)
	}
}
