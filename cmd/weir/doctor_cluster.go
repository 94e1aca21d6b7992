package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

// A check of a part of the cluster is given up after checkWait; a clock that is off by
// more than skewWarn is told, by more than skewBad is a failure (S3 refuses requests
// that are 15 minutes off).
const (
	checkWait = 30 * time.Second
	skewWarn  = 5 * time.Second
	skewBad   = 5 * time.Minute
)

// checked is what one part of the cluster said.
type checked struct {
	stages.Finding
	Took int64 `json:"took_ms"`
}

// probe examines one part; it may find several things.
type probe struct {
	part string
	ask  func(context.Context) []stages.Finding
}

// examineCluster asks every part that weir.yaml names, all at once.
func (a *app) examineCluster(ctx context.Context, p *project.Project) ([]checked, error) {
	var probes []probe
	if p.Lake.Endpoint != "" {
		probes = append(probes, a.probeLake(p)...)
	}
	if p.Temporal.Address != "" {
		probes = append(probes, probe{"temporal", func(ctx context.Context) []stages.Finding { return a.probeTemporal(ctx, p) }})
	}
	if p.Runner.REST != "" || p.Runner.JobService != "" {
		probes = append(probes, probeRunner(p.Runner)...)
	}
	if len(probes) == 0 {
		return nil, weir.Errorf(weir.Invalid, "weir.yaml names no part that others run").At("weir.yaml").Then("weir doctor, without --cluster, examines the embedded ones")
	}
	out := make([][]checked, len(probes))
	var all sync.WaitGroup
	for i, one := range probes {
		all.Go(func() { out[i] = one.run(ctx) })
	}
	all.Wait()
	return slices.Concat(out...), nil
}

// run asks, and stops waiting for a part that does not even notice that its time is
// over.
func (p probe) run(ctx context.Context) []checked {
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	began := time.Now()
	said := make(chan []stages.Finding, 1)
	go func() { said <- p.ask(ctx) }()
	var found []stages.Finding
	select {
	case found = <-said:
	case <-time.After(checkWait + time.Second):
		found = []stages.Finding{{Part: p.part, Status: stages.Bad, What: "does not answer within " + checkWait.String(), Next: "check its address, that it runs, and the network in between"}}
	}
	took := time.Since(began).Milliseconds()
	out := make([]checked, len(found))
	for i, f := range found {
		out[i] = checked{f, took}
	}
	return out
}

func fine(part, format string, args ...any) stages.Finding {
	return stages.Finding{Part: part, Status: stages.Fine, What: fmt.Sprintf(format, args...)}
}

// probeLake goes round through the store and the catalog.
func (a *app) probeLake(p *project.Project) []probe {
	config, err := a.externalLake(p)
	config.Object.Retries = 2 // who examines wants to know soon
	failed := func(part string) probe {
		return probe{part, func(context.Context) []stages.Finding {
			return []stages.Finding{stages.FindingOf(part, err, "check lake: in weir.yaml")}
		}}
	}
	if err != nil {
		return []probe{failed("s3")}
	}
	out := []probe{
		{"s3", func(ctx context.Context) []stages.Finding { return probeStore(ctx, config.Object) }},
		{"s3 clock", func(ctx context.Context) []stages.Finding {
			return probeClock(ctx, "s3 clock", storeURL(config.Object), config.Object.CA)
		}},
	}
	if config.Catalog.Type == "rest" {
		out = append(out,
			probe{"catalog", func(ctx context.Context) []stages.Finding { return probeCatalog(ctx, config) }},
			probe{"catalog clock", func(ctx context.Context) []stages.Finding {
				return probeClock(ctx, "catalog clock", config.Catalog.URI, config.Catalog.CA)
			}})
	}
	return out
}

func storeURL(c object.Config) string {
	if c.Secure {
		return "https://" + c.Endpoint
	}
	return "http://" + c.Endpoint
}

func probeStore(ctx context.Context, c object.Config) []stages.Finding {
	const part = "s3"
	store, err := object.Open(ctx, c)
	if err != nil {
		return []stages.Finding{stages.FindingOf(part, err, "check lake: in weir.yaml")}
	}
	key := make([]byte, 8)
	if _, err := rand.Read(key); err != nil {
		return []stages.Finding{stages.FindingOf(part, err, "try again")}
	}
	f := stages.CheckStore(ctx, store, hex.EncodeToString(key))
	f.Part = part
	if f.Status != stages.Fine {
		return []stages.Finding{f}
	}
	f.What = fmt.Sprintf("bucket %s at %s: writes, reads, refuses a second write of one key, deletes", c.Bucket, c.Endpoint)
	return []stages.Finding{f}
}

func probeCatalog(ctx context.Context, c lakehouse.Config) []stages.Finding {
	const part = "catalog"
	lake, err := lakehouse.Open(ctx, c)
	if err == nil {
		defer lake.Close()
		err = lake.Probe(ctx, time.Now())
	}
	if err != nil {
		var e *weir.Error
		if errors.As(err, &e) && strings.HasPrefix(e.Where, "s3://") {
			return []stages.Finding{{Part: part, Status: stages.Warn, What: "not examined: the object store does not answer as it should", Next: "mend s3 first"}}
		}
		return []stages.Finding{stages.FindingOf(part, err, "check lake.catalog in weir.yaml")}
	}
	out := []stages.Finding{fine(part, "%s: a table was made, committed to, read and dropped in %s", c.Catalog.URI, c.Namespace)}
	if c.Catalog.Clear() {
		out = append(out, stages.Finding{Part: part, Status: stages.Warn, What: "the token or credential goes over the network as it is: who listens has it", Next: "use an address with https:// in lake.catalog.uri and oauth2_uri"})
	}
	return out
}

// probeTemporal asks for the version, the namespace and its search attributes, starts
// a workflow, and looks who works.
func (a *app) probeTemporal(ctx context.Context, p *project.Project) []stages.Finding {
	const part = "temporal"
	bad := func(part string, err error) stages.Finding {
		return stages.FindingOf(part, err, "check temporal: in weir.yaml")
	}
	o, err := a.externalTemporal(p)
	if err != nil {
		return []stages.Finding{bad(part, err)}
	}
	c, err := workflows.Dial(ctx, o)
	if err != nil {
		return []stages.Finding{bad(part, err)}
	}
	defer c.Close()
	found := []stages.Finding{fine("temporal namespace", "%s has the search attributes %s", cmp.Or(o.Namespace, client.DefaultNamespace), strings.Join(workflows.SearchAttributes(), ", "))}
	said, err := workflows.ProbeServer(ctx, c, p.Name, p.Name+"/doctor/"+process())
	if err != nil {
		return append(found, bad(part, err))
	}
	found = append([]stages.Finding{fine(part, "%s: server %s, a workflow started in %d ms", o.HostPort, said.Version, said.Took.Milliseconds()), clock("temporal clock", said.Skew)}, found...)
	polled, err := workflows.Pollers(ctx, c, p.Name)
	if err != nil {
		return append(found, bad("workers", err))
	}
	var none []string
	for _, q := range workflows.QueueNames() {
		if polled[q] == 0 {
			none = append(none, q)
		}
	}
	if len(none) > 0 {
		return append(found, stages.Finding{Part: "workers", Status: stages.Warn, What: "nobody polls " + strings.Join(none, ", "),
			Next: "weir worker, on some machine, with --queues " + strings.Join(none, ",") + " or all; until then only weir run works"})
	}
	return append(found, fine("workers", "all queues are polled: control by %d, ingress by %d, pipelines by %d, egress by %d",
		polled["control"], polled["ingress"], polled["pipelines"], polled["egress"]))
}

// doctorCluster examines and tells.
func (a *app) doctorCluster(ctx context.Context) error {
	p, err := a.load()
	if err != nil {
		return err
	}
	found, err := a.examineCluster(ctx, p)
	if err != nil {
		return err
	}
	bad := 0
	for _, f := range found {
		if f.Status == stages.Bad {
			bad++
		}
	}
	if a.json {
		if err := a.printJSON(map[string]any{"ok": bad == 0, "checks": found}); err != nil {
			return err
		}
	} else {
		mark := map[string]string{stages.Fine: "OK    ", stages.Warn: "warn  ", stages.Bad: "failed"}
		for _, f := range found {
			a.printf("%s  %-20s %6d ms  %s\n", mark[f.Status], f.Part, f.Took, cell(f.What))
			if f.Next != "" {
				a.printf("        %-20s            → %s\n", "", cell(f.Next))
			}
		}
	}
	if bad > 0 {
		return &told{weir.Errorf(weir.Unavailable, "%d parts of the cluster fail", bad)}
	}
	return nil
}
