package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// policydiff: what if the rules were others, over everybody and twenty activations. The
// people and what they said lie in the tables as a run leaves them, in the shares of the
// gate's skewed people; the decide stage decides about them by the built-in policy, which
// is told as a measure too, and the what-if is of one that holds consents for less long.
func (b *bench) policydiff(ctx context.Context) (err error) {
	people := b.rows(1_000_000)
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, closing, err := b.house(ctx, dir, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	h.Gate = func(ctx context.Context, _ *project.Project) (*policies.Gate, error) {
		return policies.Load(ctx, policies.Options{})
	}
	p := twenty()
	if err := fillPeople(ctx, h, people); err != nil {
		return err
	}
	if err := b.decides(ctx, h, p, people); err != nil {
		return err
	}
	candidate, err := tighter(ctx, dir)
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds; round++ {
		watch, done := make(chan sample, 1), make(chan struct{})
		go func() { watch <- watchSelf(done) }()
		before, started := ownCPU(), time.Now()
		d, err := h.DiffPolicy(ctx, p, candidate, stages.PolicyDiffOptions{})
		took, cpu := time.Since(started), ownCPU()-before
		close(done)
		s := <-watch
		if err != nil {
			return err
		}
		found := map[string]int{}
		for _, a := range d.Activations {
			found["decisions"] += int(a.Considered)
			found["lose"] += int(a.Lose)
			found["gain"] += int(a.Gain)
		}
		if found["decisions"] != 20*people || found["lose"] == 0 || found["gain"] != 0 {
			return fmt.Errorf("found %v", found)
		}
		err = b.report.add(measure{Name: "policy diff", Peer: "weir", WallS: took.Seconds(), CPUS: cpu.Seconds(), Rows: int64(found["decisions"]), Round: round, RSSMB: s.largest >> 10, OwnMB: s.own >> 10, Found: found})
		if err != nil {
			return err
		}
	}
	return nil
}

// decides runs the decide stage.
func (b *bench) decides(ctx context.Context, h *stages.House, p *project.Project, people int) error {
	key, err := h.Apply(ctx, p)
	if err != nil {
		return err
	}
	run := weir.Run{Workspace: "bench", ID: weir.NewRunID(benchNow, "decide"), Now: benchNow, Project: key}
	before, started := ownCPU(), time.Now()
	s := h.All()[weir.Decide]
	plan, err := s.Plan(ctx, run, "")
	if err != nil {
		return err
	}
	manifest, err := s.Run(ctx, plan.Spec, func(weir.Progress) {})
	if err != nil {
		return err
	}
	if _, err := s.Commit(ctx, manifest); err != nil {
		return err
	}
	return b.report.add(measure{Name: "decide", Peer: "weir", WallS: time.Since(started).Seconds(), CPUS: (ownCPU() - before).Seconds(), Rows: int64(20 * people), Round: 1})
}

var diffPurposes = []string{"marketing.newsletter", "marketing.own_similar", "marketing.ads", "analytics.profile"}

// twenty is a project of as many activations: four purposes, five lists of fields.
func twenty() *project.Project {
	p := &project.Project{Name: "bench", Timezone: "UTC", Subject: weir.SubjectDef{Jurisdiction: []string{"attribute.country"}, BirthDate: []string{"attribute.birth_date"}},
		Segments: []weir.SegmentDef{{Name: "all", Of: weir.Person}},
		Destinations: []project.Destination{{Name: "esp", Connector: "webhook", Config: map[string]any{"url": "http://127.0.0.1:9/"},
			Privacy: weir.Privacy{Role: "processor", Kind: "esp", Transfer: "none", Country: "FR", Mechanism: "scc", DPA: true, Purposes: diffPurposes}}}}
	for i := range 20 {
		fields := map[string]string{"email": "email", "country": "country", "first_name": "given_name", "born": "birth_date"}
		for _, f := range []string{"country", "first_name", "born"}[:i/4%4] {
			delete(fields, f)
		}
		p.Activations = append(p.Activations, weir.ActivationDef{Name: fmt.Sprintf("act%02d", i), Segment: "all", Destination: "esp", Purpose: diffPurposes[i%4], Channel: "email",
			Mode: weir.Mirror, Key: "email", Fields: fields})
	}
	return p
}

// tighter is the built-in policy with consents held for less long.
func tighter(ctx context.Context, dir string) (*policies.Gate, error) {
	dir += "/policies"
	if _, err := policies.Write(dir); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(dir + "/data/retention.yaml")
	if err != nil {
		return nil, err
	}
	changed := strings.ReplaceAll(string(text), "consent_max_age_days: 730", "consent_max_age_days: 365")
	if changed == string(text) {
		return nil, fmt.Errorf("retention.yaml is not as it was")
	}
	if err := os.WriteFile(dir+"/data/retention.yaml", []byte(changed), 0o600); err != nil {
		return nil, err
	}
	return policies.Load(ctx, policies.Options{Dir: dir})
}

// fillPeople writes people, their membership and what they said.
func fillPeople(ctx context.Context, h *stages.House, n int) error {
	id := func(i int) string { return fmt.Sprintf("p_%016x", uint64(i)<<24) }
	email := func(i int) string { return "member" + strconv.Itoa(i) + "@example.org" }
	pins := map[string]int64{}
	var errs []error
	pin := func(table string, id int64, err error) { pins[table] = id; errs = append(errs, err) }
	types := map[string]weir.AttributeType{"email": weir.Text, "given_name": weir.Text, "country": weir.Text, "birth_date": weir.Text}
	r := rand.New(rand.NewPCG(3, 3))
	snap, err := fillOf(ctx, h.Lake, schema.Profiles(types), "", n, func(i int) weir.Profile {
		country := string(drawn(r, homes...))
		country, _, _ = strings.Cut(country, ",")
		country, _, _ = strings.Cut(country, "-")
		p := weir.Profile{ID: id(i), Kind: weir.Person, Attributes: map[string]string{"email": email(i), "given_name": "Ann", "country": country,
			"birth_date": fmt.Sprintf("%d-06-01", 1940+r.IntN(70))}, Identifiers: weir.Identifiers{}, Records: 1}
		p.Identifiers.Add("email", email(i))
		return p
	})
	pin("core.profiles", snap, err)
	snap, err = fillTable(ctx, h.Lake, "segment.memberships", "all", n, func(i int) weir.Membership {
		return weir.Membership{Segment: "all", ProfileID: id(i), EnteredAt: benchNow}
	})
	pin("segment.memberships", snap, err)
	snap, err = fillTable(ctx, h.Lake, "core.records", "", n, func(i int) weir.Record {
		return weir.Record{ID: "r" + id(i), Source: "crm", Stream: "people", Kind: weir.Person, Identifiers: weir.Identifiers{"email": {email(i)}}, ObservedAt: benchNow}
	})
	pin("core.records", snap, err)
	snap, err = fillTable(ctx, h.Lake, "identity.links", "", n, func(i int) weir.Link {
		return weir.Link{RecordID: "r" + id(i), ProfileID: id(i)}
	})
	pin("identity.links", snap, err)
	actions := []weighted[weir.Action]{{weir.Granted, 70}, {weir.Withdrawn, 15}, {weir.RefusedConsent, 10}, {weir.OptedOut, 5}}
	snap, err = fillTable(ctx, h.Lake, "core.consents", "crm/consents", n*3/2, func(i int) weir.Consent {
		at := benchNow.AddDate(0, 0, -int(r.ExpFloat64()*400))
		return weir.Consent{ID: fmt.Sprintf("c%09d", i), Kind: "email", Value: email(r.IntN(n)), Purpose: diffPurposes[r.IntN(4)], Channel: "email", Action: drawn(r, actions...),
			Basis: "consent", Explicit: true, OccurredAt: at, RecordedAt: at, Proof: "form", Source: "crm", Stream: "consents"}
	})
	pin("core.consents", snap, err)
	for _, stage := range []weir.Stage{weir.Conform, weir.Resolve, weir.Unify, weir.Segment} {
		errs = append(errs, h.Lake.RecordRun(ctx, weir.StageRun{RunID: "first", Stage: stage, Status: "done", StartedAt: benchNow, EndedAt: benchNow, Now: benchNow, Snapshots: pins}))
	}
	return errors.Join(errs...)
}
