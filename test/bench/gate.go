package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
)

// gate: decisions of the default policy from facts at hand, by classes, cold; row by
// row beside it, on as many rows as a second or two allow, told per row; one decision
// at a time; and fifty million rows as the decide stage hands them over. The people are
// made up, in two ways: as skewed as customers are, facts going together; and every fact
// drawn alike and by itself, which is worse than people are, as nearly every
// combination then occurs.
func (b *bench) gate(ctx context.Context) error {
	g, err := policies.Load(ctx, policies.Options{})
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds; round++ {
		for _, people := range []struct {
			name string
			draw func(*rand.Rand, int) policies.Candidate
		}{{"skewed", skewed}, {"uniform", uniform}} {
			r := rand.New(rand.NewPCG(uint64(round), 5))
			rows := make([]policies.Candidate, b.rows(1_000_000))
			for i := range rows {
				rows[i] = people.draw(r, i)
			}
			if err := b.byClasses(ctx, "gate "+people.name, rows, round); err != nil {
				return err
			}
			if err := b.rowByRow(ctx, g, "gate "+people.name, rows, round); err != nil {
				return err
			}
		}
	}
	if err := b.online(ctx, g); err != nil {
		return err
	}
	return b.stream(ctx, g, b.rows(50_000_000))
}

func gateQuestion() policies.Question {
	return policies.Question{
		Run: weir.Run{Workspace: "bench", ID: weir.NewRunID(benchNow, "gate"), Now: benchNow},
		Activation: weir.ActivationDef{Name: "newsletter", Segment: "all", Destination: "esp", Purpose: "marketing.newsletter", Channel: "email", Key: "email",
			Fields: map[string]string{"email": "email"}},
		Destination: weir.Privacy{Role: "processor", Kind: "esp", Transfer: "none", Country: "FR", Mechanism: "scc", DPA: true, Purposes: []string{"marketing.newsletter"}},
	}
}

const gateBlock = 10_000 // rows, as the decide stage has them

// byClasses decides rows as the stage does, with a gate that was just loaded: plans,
// classes, evaluations and the audit are all in the time.
func (b *bench) byClasses(ctx context.Context, name string, rows []policies.Candidate, round int) error {
	g, err := policies.Load(ctx, policies.Options{})
	if err != nil {
		return err
	}
	before, started := ownCPU(), time.Now()
	d, err := g.Decider(gateQuestion())
	if err != nil {
		return err
	}
	for block := range slices.Chunk(rows, gateBlock) {
		if _, err := d.Decide(ctx, block); err != nil {
			return err
		}
	}
	if err := d.Finish(ctx); err != nil {
		return err
	}
	m := measure{Name: name, Peer: "weir", WallS: time.Since(started).Seconds(), CPUS: (ownCPU() - before).Seconds(), Rows: int64(len(rows)), Round: round}
	s := d.Stats()
	m.Found = map[string]int{"classes": int(s.Classes), "evaluations": int(s.Evaluations), "allowed": int(s.Allowed), "audited": int(s.Audited)}
	return b.report.add(m)
}

// rowByRow asks the policy about each row.
func (b *bench) rowByRow(ctx context.Context, g *policies.Gate, name string, rows []policies.Candidate, round int) error {
	d, err := g.Decider(gateQuestion())
	if err != nil {
		return err
	}
	rows = rows[:min(len(rows), 5000)]
	before, started := ownCPU(), time.Now()
	for i := range rows {
		if _, err := g.Evaluate(ctx, d.Input(rows[i])); err != nil {
			return err
		}
	}
	return b.report.add(measure{Name: name, Peer: "row by row", WallS: time.Since(started).Seconds(), CPUS: (ownCPU() - before).Seconds(), Rows: int64(len(rows)), Round: round})
}

// online asks about one person at a time, each another, with a gate that has met the
// question before.
func (b *bench) online(ctx context.Context, g *policies.Gate) error {
	r := rand.New(rand.NewPCG(9, 9))
	took := make([]time.Duration, b.rows(100_000))
	for i := range took {
		row := []policies.Candidate{skewed(r, i)}
		started := time.Now()
		if _, _, err := g.Decide(ctx, gateQuestion(), row); err != nil {
			return err
		}
		took[i] = time.Since(started)
	}
	slices.Sort(took)
	at := func(share float64) time.Duration { return took[int(float64(len(took)-1)*share)] }
	b.report.notef("gate, one decision at a time, %d people: median %v, p99 %v, longest %v", len(took), at(0.5), at(0.99), at(1))
	return nil
}

// stream decides many rows in blocks, as they come; making them is not in the time.
func (b *bench) stream(ctx context.Context, g *policies.Gate, n int) error {
	watch, done := make(chan sample, 1), make(chan struct{})
	go func() { watch <- watchSelf(done) }()
	d, err := g.Decider(gateQuestion())
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(11, 11))
	var took, cpu time.Duration
	block := make([]policies.Candidate, gateBlock)
	for at := 0; at < n && err == nil; at += len(block) {
		for i := range block {
			block[i] = skewed(r, at+i)
		}
		before, started := ownCPU(), time.Now()
		_, err = d.Decide(ctx, block)
		if d.Full() {
			d.Drain()
		}
		took, cpu = took+time.Since(started), cpu+ownCPU()-before
	}
	if err == nil {
		before, started := ownCPU(), time.Now()
		err = d.Finish(ctx)
		took, cpu = took+time.Since(started), cpu+ownCPU()-before
	}
	close(done)
	s := <-watch
	if err != nil {
		return err
	}
	stats := d.Stats()
	return b.report.add(measure{Name: "gate stream", Peer: "weir", WallS: took.Seconds(), CPUS: cpu.Seconds(), Rows: stats.Rows, Round: 1, RSSMB: s.largest >> 10, OwnMB: s.own >> 10,
		Found: map[string]int{"classes": int(stats.Classes), "evaluations": int(stats.Evaluations), "audited": int(stats.Audited)}})
}

// drawn picks by weight.
func drawn[T any](r *rand.Rand, of ...weighted[T]) T {
	sum := 0.0
	for _, w := range of {
		sum += w.weight
	}
	x := r.Float64() * sum
	for _, w := range of {
		if x -= w.weight; x < 0 {
			return w.value
		}
	}
	return of[len(of)-1].value
}

type weighted[T any] struct {
	value  T
	weight float64
}

// fact is mostly no, and now and then not known.
func fact(r *rand.Rand, yes float64) policies.Fact {
	switch x := r.Float64(); {
	case x < yes:
		return policies.Yes
	case x < yes*1.1:
		return policies.Unknown
	}
	return policies.No
}

// homes are where skewed people live: a shop's, mostly of two countries.
var homes = func() []weighted[policies.List] {
	out := []weighted[policies.List]{{"unknown", 1}, {"FR,US-CA", 0.1}, {"BE,FR", 0.8}, {"DE,FR", 0.6}}
	for i, place := range []string{"FR", "DE", "GB", "US-CA", "BE", "IT", "ES", "NL", "US-NY", "US-TX", "BR", "CH", "AT", "US-VA", "US", "PT", "PL", "IE", "SE", "US-MD", "US-CO", "DK", "FI", "US-UT", "LU", "GR", "US-NJ", "CZ", "US-OR", "RO"} {
		out = append(out, weighted[policies.List]{policies.List(place), 40 / math.Pow(float64(i+1), 1.3)})
	}
	return out
}()

// skewed is a person as customers are: most are grown up, nearly nobody objects, and
// who never consented has no proof of it.
func skewed(r *rand.Rand, i int) policies.Candidate {
	c := policies.Candidate{ProfileID: fmt.Sprintf("p_%016x", uint64(i)*0x9e3779b97f4a7c15)}
	days := func(mean float64) int { return int(r.ExpFloat64() * mean) }
	status := drawn(r, weighted[policies.Status]{policies.StatusGranted, 55}, weighted[policies.Status]{policies.StatusNone, 30},
		weighted[policies.Status]{policies.StatusWithdrawn, 9}, weighted[policies.Status]{policies.StatusDenied, 4}, weighted[policies.Status]{policies.StatusExpired, 2})
	c.Consent = policies.Consent{Status: status, Explicit: policies.No, Proof: policies.No, Guardian: policies.No}
	if status == policies.StatusGranted {
		given := days(400)
		c.GivenAt = benchNow.AddDate(0, 0, -given)
		c.Consent.AgeDays, c.Consent.Proof, c.Consent.Explicit = policies.DaysOf(given), policies.FactOf(r.Float64() < 0.95), policies.FactOf(r.Float64() < 0.3)
	}
	silent := days(250)
	c.LastContactAt = benchNow.AddDate(0, 0, -silent)
	c.Subject = policies.Subject{
		AgeBand: drawn(r, weighted[policies.AgeBand]{policies.Adult, 70}, weighted[policies.AgeBand]{policies.AgeUnknown, 28},
			weighted[policies.AgeBand]{policies.Age17, 1}, weighted[policies.AgeBand]{policies.Age16, 0.6}, weighted[policies.AgeBand]{policies.Age15, 0.3}, weighted[policies.AgeBand]{policies.AgeUnder13, 0.1}),
		Erasure: drawn(r, weighted[policies.Erasure]{policies.ErasureNone, 999}, weighted[policies.Erasure]{policies.ErasureRequested, 1}),
		GPC:     fact(r, 0.04), InactiveDays: policies.DaysOf(silent), Jurisdictions: drawn(r, homes...), Objected: fact(r, 0.005), OptedOut: fact(r, 0.02),
		Restricted: fact(r, 0.001), Customer: policies.FactOf(r.Float64() < 0.7), OptOutOffered: policies.FactOf(r.Float64() < 0.9), LimitSensitive: fact(r, 0.001), OptedOutAds: fact(r, 0.01),
		OptedOutProfiling: fact(r, 0.005), SuppressedElsewhere: fact(r, 0.01),
		Suppressed: drawn(r, weighted[policies.Suppression]{policies.NotSuppressed, 98}, weighted[policies.Suppression]{policies.Suppressed, 2}),
	}
	if c.Subject.OptedOut == policies.Yes {
		ago := days(300)
		c.OptedOutAt, c.Subject.OptedOutDays = benchNow.AddDate(0, 0, -ago), policies.DaysOf(ago)
	}
	return c
}

// uniform draws every fact by itself, each value as likely as another.
func uniform(r *rand.Rand, i int) policies.Candidate {
	any3 := func() policies.Fact { return policies.Fact(r.IntN(3)) }
	age, silent := r.IntN(1500), r.IntN(2000)
	return policies.Candidate{ProfileID: fmt.Sprintf("p_%016x", uint64(i)*0x9e3779b97f4a7c15), GivenAt: benchNow.AddDate(0, 0, -age), LastContactAt: benchNow.AddDate(0, 0, -silent),
		Consent: policies.Consent{AgeDays: policies.DaysOf(age), DeviceStorage: any3(), Explicit: any3(), Google: policies.SignalState(r.IntN(4)), Guardian: any3(), Proof: any3(),
			Status: policies.Status(r.IntN(6)), TCF: policies.SignalState(r.IntN(4))},
		Subject: policies.Subject{AgeBand: policies.AgeBand(r.IntN(8)), Customer: any3(), Erasure: policies.Erasure(r.IntN(4)), GPC: any3(), InactiveDays: policies.DaysOf(silent),
			Jurisdictions: []policies.List{"FR", "DE", "GB", "US-CA", "BR", "unknown"}[r.IntN(6)], LimitSensitive: any3(), Objected: any3(), OptOutOffered: any3(), OptedOut: any3(),
			OptedOutAds: any3(), OptedOutDays: policies.Days(r.IntN(500)), OptedOutProfiling: any3(), Restricted: any3(), Suppressed: policies.Suppression(r.IntN(4)), SuppressedElsewhere: any3()},
	}
}
