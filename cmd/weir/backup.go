package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
)

func (a *app) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE.tar.zst",
		Short: "Write all state of this machine's parts to one file",
		Long: `Writes .weir: tables, catalog, schedules, paused streams, delivery state. Nothing may
run on the project meanwhile: stop weir dev first. The project's own files are not in
it (they are in git); the store's keys and the workspace's secret are, so keep it as
you would a password. An external lake or Temporal is backed up by its own means.`,
		Example: "  weir backup shop-2026-01-31.tar.zst",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.backup(cmd.Context(), args[0]) },
	}
}

// backup writes beside FILE and renames, so that FILE is whole or not there.
func (a *app) backup(ctx context.Context, name string) (err error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return weir.Errorf(weir.Invalid, "%w", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return weir.Errorf(weir.Conflict, "the file is there already").At(path).Then("name another file")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".weir-backup-*") // mode 0600
	if err != nil {
		return weir.Errorf(weir.Invalid, "write the backup: %w", err).Then("name a file in a folder that can be written")
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	b, err := embedded.Backup(ctx, filepath.Join(a.dir, ".weir"), f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return weir.Errorf(weir.Unavailable, "write the backup: %w", err).At(path).Then("check the folder's rights")
	}
	info, err := os.Stat(path)
	if err != nil {
		return weir.Errorf(weir.Unavailable, "the backup: %w", err)
	}
	if a.json {
		return a.printJSON(map[string]any{"file": path, "version": b.Version, "files": b.Files, "bytes": b.Bytes, "compressed_bytes": info.Size()})
	}
	a.printf("%s files, %s bytes in %s (%s bytes)\n", count(int64(b.Files)), count(b.Bytes), name, count(info.Size()))
	return nil
}

func (a *app) restoreCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "restore FILE.tar.zst",
		Short: "Bring back the state that weir backup wrote",
		Long: `Unpacks a backup beside .weir, checks that it is whole, and only then puts it in its
place. Refuses a project that has state, unless --force, which replaces it.`,
		Example: "  weir restore shop-2026-01-31.tar.zst --project shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return weir.Errorf(weir.Invalid, "the backup can't be read: %w", err).Then("name the file that weir backup wrote")
			}
			defer f.Close()
			if _, err := os.Stat(filepath.Join(a.dir, "weir.yaml")); err != nil {
				return weir.Errorf(weir.Invalid, "no weir.yaml here").At(a.dir).Then("bring the project's own files back first (they are in git), or name it with --project DIR")
			}
			b, err := embedded.Restore(cmd.Context(), filepath.Join(a.dir, ".weir"), f, force)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"version": b.Version, "files": b.Files, "bytes": b.Bytes})
			}
			a.printf("%s files, %s bytes are back; next: weir doctor, then weir status\n", count(int64(b.Files)), count(b.Bytes))
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "replace the state that is there")
	return c
}
