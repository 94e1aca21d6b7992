package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) maintainCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "maintain",
		Short: "Merge small files, let old snapshots expire, delete what nothing refers to",
		Long: `Time travel reaches back as far as retention.snapshots in weir.yaml says. What
readers use, what runs or is paused, and the last run's own files are never touched.
Drops the excerpts of quarantined values older than retention.quarantine_values, and
the rows of ops.runs that time travel and weir status do not need. Safe at any time;
once a day is enough.`,
		Example: "  weir maintain --dry-run\n  weir maintain",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				m, err := pl.house.Maintain(ctx, pl.project, time.Now().UTC(), dry)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(m)
				}
				var rows [][]string
				for _, t := range m.Tables {
					if t.Merged+t.Expired+t.Orphans > 0 {
						rows = append(rows, []string{t.Table, count(int64(t.Merged)), count(int64(t.Expired)), count(int64(t.Orphans)), count(t.Bytes)})
					}
				}
				if len(rows) > 0 {
					a.table([]string{"TABLE", "SMALL FILES MERGED", "SNAPSHOTS EXPIRED", "FILES DELETED", "BYTES"}, rows)
				}
				what := "deleted"
				if dry {
					what = "would be deleted"
				}
				if m.Rows+m.Values > 0 {
					a.printf("%s rows of ops.runs and the values of %s quarantined rows %s\n", count(int64(m.Rows)), count(int64(m.Values)), what)
				}
				a.printf("%s runs swept; %s files, %s bytes %s\n", count(int64(m.Runs)), count(int64(m.Files)), count(m.Bytes), what)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	return c
}
