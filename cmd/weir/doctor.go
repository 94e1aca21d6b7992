package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

// leastDisk is below what no run should start.
const leastDisk = 1 << 30

func (a *app) doctorCommand() *cobra.Command {
	var offline, cluster bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a project part by part, and say what to do about what is wrong",
		Long: `Looks at the files, secrets, each source (reached, streams there, keys and mappings
fit their columns), each destination, the policy, the disk, the lake and Temporal.
Every part is looked at, whatever is wrong with the others. Nothing is collected or
sent. Exit code 2 if something would keep a run from succeeding. With --cluster it
goes through the parts that others run, for half a minute at most.`,
		Example: "  weir doctor\n  weir doctor --offline     without starting or asking lake and Temporal\n  weir doctor --cluster     the parts that others run, each by a round trip",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cluster {
				return a.doctorCluster(cmd.Context())
			}
			found := a.examine(cmd.Context(), offline)
			bad := 0
			for _, f := range found {
				if f.Status == stages.Bad {
					bad++
				}
			}
			if a.json {
				if err := a.printJSON(map[string]any{"ok": bad == 0, "findings": found}); err != nil {
					return err
				}
			} else {
				a.showFindings(found)
			}
			if bad > 0 {
				return &told{weir.Errorf(weir.Invalid, "%d parts are wrong", bad)}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&offline, "offline", false, "leave out lake and Temporal")
	c.Flags().BoolVar(&cluster, "cluster", false, "examine S3, catalog, Temporal and Flink of weir.yaml: access, rights, versions, clocks; exit code 1 if something fails")
	c.MarkFlagsMutuallyExclusive("offline", "cluster")
	return c
}

func (a *app) examine(ctx context.Context, offline bool) []stages.Finding {
	found := []stages.Finding{stages.CheckDisk(filepath.Join(a.dir, ".weir"), leastDisk), loopback(ctx)}
	p, err := a.load()
	if err != nil {
		// What can be told without a project that loads.
		found = append(stages.Problems(err), found...)
		dir, err := a.policyDir(nil)
		if err != nil {
			return found // the project's problems tell of it
		}
		rules := stages.Checkup{House: &stages.House{Dir: a.dir}, Project: &project.Project{Policies: dir != ""}}
		return append(found, rules.Policies(ctx)...)
	}
	found = append([]stages.Finding{{Part: "project", Status: stages.Fine, What: p.Name + ": all files can be read"}}, found...)
	house := &stages.House{Connectors: systems(), Dir: a.dir, Secrets: project.Resolver{Dir: a.dir}, Clock: time.Now, Log: a.log}
	found = append(found, stages.Checkup{House: house, Project: p}.All(ctx)...)
	if offline {
		return found
	}
	return append(found, a.examineParts(ctx, p)...)
}

// examineParts starts or reaches lake and Temporal.
func (a *app) examineParts(ctx context.Context, p *project.Project) []stages.Finding {
	pl, err := a.open(ctx, p, "weir doctor", false)
	if err != nil {
		return []stages.Finding{stages.FindingOf("lake", err, "check lake: in weir.yaml; the embedded parts say more with --verbose")}
	}
	defer pl.close()
	key := make([]byte, 8)
	if _, err := rand.Read(key); err != nil {
		return []stages.Finding{stages.FindingOf("lake", err, "try again")}
	}
	found := []stages.Finding{stages.CheckStore(ctx, pl.house.Lake.Store(), hex.EncodeToString(key))}
	if _, err := pl.house.Lake.Pins(ctx); err != nil {
		found = append(found, stages.FindingOf("catalog", err, "check lake.catalog in weir.yaml"))
	} else {
		found = append(found, stages.Finding{Part: "catalog", Status: stages.Fine, What: "answers"})
		found = append(found, pl.house.CheckQueries(ctx, p)...)
	}
	if s, err := pl.house.PolicyStanding(ctx, p.Name); err == nil && s.Sequence == 0 && len(p.Signers) > 0 {
		found = append(found, stages.Finding{Part: "policies", Status: stages.Bad, What: unpublished, Where: "weir.yaml", Next: unpublishedNext})
	}
	if end, soon, err := pl.house.PolicyEnds(ctx, p, pl.house.Clock()); err != nil {
		found = append(found, stages.FindingOf("policies", err, "weir policy revisions"))
	} else if soon {
		status := stages.Warn
		if end.Over {
			status = stages.Bad
		}
		found = append(found, stages.Finding{Part: "policies", Status: status, What: end.String(), Where: "weir.yaml", Next: stages.PolicyEndNext})
	}
	c, err := pl.dial(ctx)
	if err == nil {
		_, err = workflows.Schedules(ctx, c, p.Name)
	}
	if err != nil {
		return append(found, stages.FindingOf("temporal", err, "check temporal: in weir.yaml"))
	}
	return append(found, stages.Finding{Part: "temporal", Status: stages.Fine, What: "answers"})
}

// loopback looks whether this machine lets a program listen, and reach it.
func loopback(ctx context.Context) stages.Finding {
	if err := embedded.Loopback(ctx); err != nil {
		return stages.FindingOf("ports", err, "")
	}
	return stages.Finding{Part: "ports", Status: stages.Fine, What: "the loopback interface can be used"}
}

func (a *app) showFindings(found []stages.Finding) {
	mark := map[string]string{stages.Fine: "ok  ", stages.Warn: "warn", stages.Bad: "FAIL"}
	for _, f := range found {
		where := ""
		if f.Where != "" {
			where = f.Where + ": "
		}
		a.printf("%s  %-24s %s%s\n", mark[f.Status], f.Part, where, cell(f.What))
		if f.Next != "" {
			a.printf("      %-24s → %s\n", "", cell(f.Next))
		}
	}
}
