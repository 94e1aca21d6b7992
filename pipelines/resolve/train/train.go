package train

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Options of training.
type Options struct {
	Seed    uint64
	Workers int // 0: all cores
}

// DefaultThreshold is the log2 odds of a link where none is declared: nine to one.
const DefaultThreshold = 3.17

type trainer struct {
	opts       Options
	cols       []model.Column
	features   []model.Features
	hashes     []uint32 // of each record's values, by column
	model      *model.Model
	content    model.Content
	total      int
	size       int     // of the uniform sample: the first features
	plan       *Plan   // of the blocks that follow; nil: there are none
	stands     float64 // pairs of the table for which those drawn from blocks stand
	sampled    float64
	given      int
	family     int
	rules      []trainingRule
	everything bool
	classes    []latent
	first      []latent
	covered    float64
	ready      bool
	labels     []labelled
}

// Train makes a model. A sample from which nothing can be learned (no records, no
// usable column) gives a model that links nothing, and notes that say so.
func Train(s *Sample, def weir.IdentityDef, o Options) (*model.Model, *Report, error) {
	records := inOrder(s.Records, o.Seed)
	t := &trainer{opts: o, total: max(s.Total, len(records)), size: len(records), given: -1, family: -1, covered: 0.9}
	report := &Report{}
	if s.Plan != nil && len(s.Plan.Columns) > 0 {
		t.cols = s.Plan.told(report)
	} else {
		report.Columns = t.profile(records)
	}
	if err := declared(def, report.Columns); err != nil {
		return nil, nil, err
	}
	if t.cols == nil {
		t.cols = report.columns(def, records)
	}
	for c := range t.cols {
		k, _ := compare.KindOf(t.cols[c].Kind)
		for _, name := range compare.Levels(k) {
			t.cols[c].Levels = append(t.cols[c].Levels, model.Level{Name: name, M: 0.5, U: 0.5})
		}
		if t.cols[c].Limited {
			t.cols[c].Levels = append(t.cols[c].Levels, model.Level{Name: "differ in one source", M: 0.5, U: 0.5})
		}
		startM(&t.cols[c])
		switch t.cols[c].Role {
		case model.Given:
			t.given = c
		case model.Family:
			t.family = c
		}
	}
	t.content = model.Content{Columns: t.cols, Threshold: threshold(def), MaxBlock: maxBlock, Trained: model.Trained{Seed: o.Seed, Records: len(records), Total: t.total}}
	if err := t.learn(t.withBlocks(records, s), s.Labels, def, report); err != nil {
		return nil, nil, err
	}
	m, err := model.New(t.content)
	if err == nil && t.ready {
		report.Unlinkable = t.unlinkables(m)
	}
	return m, report, err
}

// inOrder sorts records by the hash of their ids: an order that tells nothing.
func inOrder(records []weir.Record, seed uint64) []weir.Record {
	at := make([]keyed, len(records))
	for i := range records {
		at[i] = keyed{model.Hash(seed, records[i].ID), int32(i)}
	}
	at = sortedKeys(at, math.MaxUint64)
	for i := 0; i < len(at); {
		j := i + 1
		for j < len(at) && at[j].hash == at[i].hash {
			j++
		}
		if j-i > 1 { // next to never, but of records that come twice
			slices.SortFunc(at[i:j], func(a, b keyed) int { return strings.Compare(records[a.record].ID, records[b.record].ID) })
		}
		i = j
	}
	out := make([]weir.Record, len(records))
	for i := range at {
		out[i] = records[at[i].record]
	}
	return out
}

func (t *trainer) learn(records []weir.Record, labels []Label, def weir.IdentityDef, report *Report) error {
	if len(t.cols) == 0 || len(records) < 2 {
		report.Notes = append(report.Notes, "nothing to compare: no column holds values that repeat")
		t.content.Columns = nil
		return nil
	}
	if err := t.prepare(records); err != nil {
		return err
	}
	tallies := t.tallies()
	if err := t.frequencies(tallies, nil, 0.3*float64(t.size)/float64(t.total)); err != nil {
		return err
	}
	t.startClasses()
	t.label(records, labels)
	random := t.look(t.random(), nil)
	t.countU(random)
	agreeing := t.agreeing()
	t.dependences(agreeing)
	as := t.atoms()
	ts := t.trials(as)
	pairs, weight := t.candidates(as, ts)
	found := random
	if !t.everything {
		found = t.look(pairs, weight)
	}
	t.first = make([]latent, len(t.classes))
	for k := range t.classes {
		t.first[k] = t.classes[k]
		t.first[k].Shared = slices.Clone(t.classes[k].Shared)
	}
	report.Iterations = t.maximise(found, 12)
	t.ready = true
	// Again, with frequencies and u that know how many duplicates there are.
	if err := t.frequencies(tallies, agreeing, t.matches()*float64(t.size-1)); err != nil {
		return err
	}
	seen := append([]*seen{random}, agreeing...)
	if !t.everything { // else found is random
		seen = append(seen, found)
	}
	t.parallel(len(seen), func(k int) {
		if seen[k] != nil {
			t.again(seen[k])
		}
	})
	t.countU(random)
	t.dependences(agreeing)
	report.Iterations += t.maximise(found, 40)
	report.Pairs = len(pairs)
	return t.conclude(found, as, ts, def, report)
}

// tallies counts the values of all columns, and marks placeholders.
func (t *trainer) tallies() []*tally {
	out := make([]*tally, len(t.cols))
	t.parallel(len(t.cols), func(c int) {
		out[c] = t.count(c)
		k, _ := compare.KindOf(t.cols[c].Kind)
		out[c].placeholders(k)
		t.cols[c].Blank = out[c].blank
	})
	return out
}

// conclude makes the model of what was learned, chooses its blocking rules, and
// reports.
func (t *trainer) conclude(found *seen, as []atom, ts []trial, def weir.IdentityDef, report *Report) error {
	t.empty()
	expected := t.matches()
	t.calibrate(def.Model != nil && def.Model.Threshold > 0)
	matches, strength := t.linked(found)
	for k := range t.classes {
		t.content.Classes = append(t.content.Classes, t.classes[k].Class)
	}
	if def.Model != nil && len(def.Model.Block) > 0 {
		if err := t.declaredRules(as, ts, def.Model.Block, matches, strength, report); err != nil {
			return err
		}
	} else {
		report.Rules = t.chooseRules(as, ts, matches, strength)
	}
	report.Prior = fmt.Sprintf("expected matches among all pairs of the sample, of which training is taken to find %.0f %%", 100*t.covered)
	report.Scores = t.scores(found)
	report.SamplePairs = t.allPairs()
	report.SampleMatches = expected * report.SamplePairs
	n := float64(t.total)
	report.Matches = expected * n * (n - 1) / 2
	t.content.Trained.Matches = report.Matches
	t.content.Trained.Pairs = report.Pairs
	t.content.Trained.Labels = len(t.labels)
	return nil
}

// empty leaves out classes that hold next to no pair: they would cost every
// score something, and change none.
func (t *trainer) empty() {
	same := t.classes[1].Prior
	t.classes = slices.DeleteFunc(t.classes, func(c latent) bool { return c.Prior < same/1000 })
}

// linked are the pairs that are rather matches, with the number that each stands
// for.
func (t *trainer) linked(found *seen) (matches []pair, strength []float64) {
	for k := range found.all {
		p := t.posterior(&found.all[k])
		if p <= 0.5 {
			continue
		}
		if found.weight != nil {
			p *= found.weight[k]
		}
		matches = append(matches, found.pairs[k])
		strength = append(strength, p)
	}
	return matches, strength
}

// matches is the share of matches among all pairs.
func (t *trainer) matches() float64 {
	p := 0.0
	for k := range t.classes {
		if t.classes[k].Match {
			p += t.classes[k].Prior
		}
	}
	return p
}

// prepare makes the features, once; their frequencies are set by frequencies.
func (t *trainer) prepare(records []weir.Record) error {
	m, err := model.New(t.content)
	if err != nil {
		return err
	}
	t.model = m
	t.features = make([]model.Features, len(records))
	t.hashes = make([]uint32, len(records)*len(t.cols))
	n := len(t.cols)
	values := make([]compare.Value, len(records)*n)
	preparers := sync.Pool{New: func() any { return m.Preparer() }}
	const piece = 1 << 11
	t.parallel((len(records)+piece-1)/piece, func(k int) {
		p := preparers.Get().(*model.Preparer)
		defer preparers.Put(p)
		for i := k * piece; i < min((k+1)*piece, len(records)); i++ {
			t.features[i] = p.PrepareTo(values[i*n:(i+1)*n:(i+1)*n], &records[i])
			for c := range n {
				t.hashes[i*n+c] = model.ValueHash(values[i*n+c].Text)
			}
		}
	})
	return nil
}

// frequencies sets how rare values and words are, in the model and in all features.
func (t *trainer) frequencies(tallies []*tally, agreeing []*seen, same float64) error {
	odd := make([]*strange, len(t.cols))
	t.parallel(len(t.cols), func(c int) {
		if agreeing != nil {
			odd[c] = t.strangeness(c, tallies[c], agreeing[c])
		}
	})
	t.parallel(len(t.cols), func(c int) {
		t.cols[c].TF = tallies[c].table(odd[c], same*t.cols[c].Levels[0].M*t.cols[c].Complete, t.oneFor())
	})
	if err := t.words(same); err != nil {
		return err
	}
	return t.rebuild()
}

// rebuild makes the model anew and sets what it says of each value.
func (t *trainer) rebuild() error {
	m, err := model.New(t.content)
	if err != nil {
		return err
	}
	t.model = m
	t.parallel(len(t.features), func(i int) {
		m.Reweigh(&t.features[i])
	})
	return nil
}

// parallel calls do for 0 to n-1 on all workers.
func (t *trainer) parallel(n int, do func(i int)) {
	workers := t.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if workers == 1 || n < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	size := max(n/(workers*16), 1)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				lo := int(next.Add(int64(size))) - size
				if lo >= n {
					return
				}
				for i := lo; i < min(lo+size, n); i++ {
					do(i)
				}
			}
		})
	}
	wg.Wait()
}
