package scratch_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/scratch"
)

func TestFolderGivesBackWhatItTook(t *testing.T) {
	ctx := t.Context()
	d := scratch.Folder(filepath.Join(t.TempDir(), "not there yet"))
	for _, data := range []string{"first, and longer", "second"} {
		if err := d.PutChecked(ctx, "runs/a/00-read/x.rows", []byte(data)); err != nil {
			t.Fatal(err)
		}
		got, err := d.ReadRange(ctx, "runs/a/00-read/x.rows", 2, 4)
		if err != nil || !bytes.Equal(got, []byte(data[2:6])) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if _, err := d.ReadRange(ctx, "runs/a/00-read/x.rows", 4, 4); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("an object that ends before: %v", err)
	}
	if _, err := d.ReadRange(ctx, "runs/b", 0, 1); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("an object that is not there: %v", err)
	}
}

func TestFolderIsNotLeft(t *testing.T) {
	above := t.TempDir()
	d := scratch.Folder(filepath.Join(above, "scratch"))
	for _, key := range []string{"../x", "/x", "a/../../x", ""} {
		if err := d.PutChecked(t.Context(), key, nil); err == nil {
			t.Errorf("%q was written", key)
		}
		if _, err := d.ReadRange(t.Context(), key, 0, 0); err == nil {
			t.Errorf("%q was read", key)
		}
	}
	if left, err := os.ReadDir(above); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestFolderStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := scratch.Folder(t.TempDir())
	if err := d.PutChecked(ctx, "x", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := d.ReadRange(ctx, "x", 0, 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
