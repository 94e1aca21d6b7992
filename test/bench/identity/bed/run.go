package bed

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"syscall"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/block"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// Default as a threshold is that of the model.
const Default = -1000

// Options of a run.
type Options struct {
	Def       weir.IdentityDef
	Rules     bool
	Threshold float64
	Seed      uint64
	Verbose   bool
	Blind     bool
	Errors    int
	Trusting  bool         // no second look at components
	Model     *model.Model // nil: train one
}

// Result is what a run found.
type Result struct {
	Quality
	Sample, Train, Block, Score, Cluster float64 // seconds of CPU
	Pairs                                int     // compared
	Lost                                 int64   // pairs of blocks over their limit; another rule may find some of them
	LostBy                               map[uint8]int64
	Found                                []int32 // of each record: the smallest of its cluster
	Model                                *model.Model
	Report                               *train.Report

	set       *Set
	opts      Options
	threshold float64
	scored    []scored
	fs        []model.Features
}

type scored struct {
	a, b  int32
	score float32
}

func (r *Result) String() string {
	return fmt.Sprintf("%s | pairs %d kept %d | sample %.2f train %.2f block %.2f score %.2f cluster %.2f", r.Quality, r.Pairs, len(r.scored), r.Sample, r.Train, r.Block, r.Score, r.Cluster)
}

// Run trains and resolves.
func Run(s *Set, o Options) (*Result, error) {
	if o.Blind {
		s = blind(s)
	}
	mark := CPU()
	lap := func(x *float64) { *x = CPU() - mark; mark = CPU() }
	r := &Result{set: s, opts: o}
	if err := r.learn(); err != nil {
		return nil, err
	}
	lap(&r.Train)
	r.Train -= r.Sample
	if o.Verbose && o.Model == nil {
		show(r.Model, r.Report)
	}
	keys := r.block()
	lap(&r.Block)
	r.scoreAll(keys)
	lap(&r.Score)
	t := o.Threshold
	if t == Default {
		t = r.Model.Threshold()
	}
	r.threshold = t
	r.Found = r.solve(t)
	r.Quality = quality(r.Found, s.Truth)
	lap(&r.Cluster)
	if o.Errors > 0 {
		r.errors(t)
	}
	return r, nil
}

// learn trains a model, or takes the one that is given.
func (r *Result) learn() error {
	if r.Model = r.opts.Model; r.Model != nil {
		return nil
	}
	mark, records := CPU(), r.set.Records
	sample := &train.Sample{Total: len(records)}
	keep := train.NewSampler(len(records), 0, r.opts.Seed)
	for i := range records {
		if keep.Keep(records[i].ID) {
			sample.Records = append(sample.Records, records[i])
		}
	}
	if sample.Plan = train.NewPlan(sample, r.opts.Def, 0, train.Options{Seed: r.opts.Seed}); sample.Plan != nil {
		g := sample.Plan.Gatherer()
		for i := range records {
			if g.Keep(&records[i]) {
				sample.Blocks = append(sample.Blocks, records[i])
			}
		}
	}
	r.Sample = CPU() - mark
	if r.opts.Verbose && sample.Plan != nil {
		showPlan(sample)
	}
	var err error
	r.Model, r.Report, err = train.Train(sample, r.opts.Def, train.Options{Seed: r.opts.Seed})
	return err
}

type entry struct {
	key model.Key
	rec int32
}

const shards = 64

// block computes the keys under a plan, and the entries by shard, sorted.
func (r *Result) block() [][]model.Key {
	n := len(r.set.Records)
	r.fs = make([]model.Features, n)
	parallel(n, func(i int) {
		f, err := model.Decode(r.Model.Prepare(&r.set.Records[i]).Append(nil)) // as a shuffle leaves it
		if err != nil {
			panic(err)
		}
		r.fs[i] = f
	})
	var plan block.Plan
	keys := make([][]model.Key, n)
	get := func() { parallel(n, func(i int) { keys[i] = plan.Keys(nil, r.Model, &r.fs[i]) }) }
	get()
	r.LostBy = map[uint8]int64{}
	if big := r.big(keys, r.lose); len(big) > 0 {
		plan.Split(big)
		get()
		if big = r.big(keys, nil); len(big) > 0 {
			plan.Drop(big)
			get()
		}
	}
	return keys
}

// entries sorts the keys of a shard.
func entries(keys [][]model.Key, shard uint64) []entry {
	var es []entry
	for i, ks := range keys {
		for _, k := range ks {
			if k.Hash%shards == shard {
				es = append(es, entry{k, int32(i)})
			}
		}
	}
	slices.SortFunc(es, func(a, b entry) int {
		switch {
		case a.key.Hash < b.key.Hash:
			return -1
		case a.key.Hash > b.key.Hash:
			return 1
		}
		return int(a.rec) - int(b.rec)
	})
	return es
}

// lose counts what is lost of a big block: pairs that are in no part of it, or in
// a part that is big too.
func (r *Result) lose(of []entry) {
	parts := map[uint64]int{}
	for _, e := range of {
		parts[r.Model.Second(e.key.Rule, &r.fs[e.rec])]++
	}
	lost := pairsOf(len(of))
	for second, n := range parts {
		if second != 0 && n <= r.Model.MaxBlock() {
			lost -= pairsOf(n)
		}
	}
	r.Lost += lost
	r.LostBy[of[0].key.Rule] += lost
}

func pairsOf(n int) int64 { return int64(n) * int64(n-1) / 2 }

// big finds the keys of too many records, and tells each one's entries.
func (r *Result) big(keys [][]model.Key, tell func([]entry)) []block.Big {
	out := make([][]block.Big, shards)
	var mu sync.Mutex
	parallel(shards, func(s int) {
		es := entries(keys, uint64(s))
		for i := 0; i < len(es); {
			j := i
			for j < len(es) && es[j].key == es[i].key {
				j++
			}
			if j-i > r.Model.MaxBlock() {
				out[s] = append(out[s], block.Big{Key: es[i].key, Records: j - i})
				if tell != nil {
					mu.Lock()
					tell(es[i:j])
					mu.Unlock()
				}
			}
			i = j
		}
	})
	return slices.Concat(out...)
}

// keepFrom is the score from which pairs are kept for other thresholds.
const keepFrom = -3

func (r *Result) scoreAll(keys [][]model.Key) {
	out := make([][]scored, shards)
	n := make([]int, shards)
	parallel(shards, func(s int) {
		es := entries(keys, uint64(s))
		var ms []block.Member
		for i := 0; i < len(es); {
			j := i
			ms = ms[:0]
			for j < len(es) && es[j].key == es[i].key {
				ms = append(ms, block.Member{Record: uint32(es[j].rec), Keys: keys[es[j].rec]})
				j++
			}
			block.Pairs(es[i].key, ms, r.Model.MaxBlock(), func(x, y int) bool {
				a, b := ms[x].Record, ms[y].Record
				n[s]++
				if sc := r.Model.Score(&r.fs[a], &r.fs[b]); sc >= keepFrom {
					out[s] = append(out[s], scored{int32(a), int32(b), float32(sc)})
				}
				return true
			})
			i = j
		}
	})
	for s := range n {
		r.Pairs += n[s]
	}
	r.scored = slices.Concat(out...)
}

// At clusters at a threshold.
func (r *Result) At(threshold float64) Quality {
	return quality(r.solve(threshold), r.set.Truth)
}

func (r *Result) solve(threshold float64) []int32 {
	g := &cluster.Graph{N: len(r.set.Records)}
	if r.opts.Rules {
		r.identifiers(g)
	}
	for _, s := range r.scored {
		if float64(s.score) >= threshold {
			g.AddScored(1, s.score, s.a, s.b)
		}
	}
	parts, err := cluster.Connect(g)
	if err != nil {
		panic(err)
	}
	if r.opts.Trusting {
		return parts.Solve(nil).Cluster
	}
	return parts.Solve(r.second).Cluster
}

// second compares the records of one component, as resolve's partition does.
func (r *Result) second(component []int32) func(i, j int) float32 {
	return func(i, j int) float32 {
		return float32(r.Model.Doubt(&r.fs[component[i]], &r.fs[component[j]]))
	}
}

// shared is on how many records a value at most links.
const shared = 10

// identifiers links records by equal identifiers, as same_<identifier> would.
func (r *Result) identifiers(g *cluster.Graph) {
	of := map[string][]int32{}
	for i := range r.set.Records {
		for kind, vs := range r.set.Records[i].Identifiers {
			for _, v := range vs {
				if evidence.Worthless(weir.Person, kind, v) == "" {
					of[kind+"\x00"+v] = append(of[kind+"\x00"+v], int32(i))
				}
			}
		}
	}
	for _, ms := range of {
		if len(ms) <= shared {
			g.Add(2, 30, cluster.Free, ms...)
		}
	}
}

func parallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	const workers = 2
	for w := range workers {
		wg.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				do(i)
			}
		})
	}
	wg.Wait()
}

// Quality is pairs within clusters, B-cubed (Bagga and Baldwin 1998), and sizes.
type Quality struct {
	P, R, F1, B3 float64
	Clusters     int
	Largest      int
}

func (q Quality) String() string {
	return fmt.Sprintf("P %.4f R %.4f F1 %.4f B3 %.4f clusters %d largest %d", q.P, q.R, q.F1, q.B3, q.Clusters, q.Largest)
}

func quality(found, truth []int32) Quality {
	n := len(found)
	size, people := map[int32]float64{}, map[int32]float64{}
	cell := map[[2]int32]float64{}
	for i := range found {
		size[found[i]]++
		people[truth[i]]++
		cell[[2]int32{found[i], truth[i]}]++
	}
	pairs := func(k float64) float64 { return k * (k - 1) / 2 }
	var inFound, inTruth, both, bp, br float64
	q := Quality{Clusters: len(size)}
	for _, k := range size {
		inFound += pairs(k)
		q.Largest = max(q.Largest, int(k))
	}
	for _, k := range people {
		inTruth += pairs(k)
	}
	for c, k := range cell {
		both += pairs(k)
		bp += k * k / size[c[0]]
		br += k * k / people[c[1]]
	}
	q.P, q.R = both/math.Max(inFound, 1), both/math.Max(inTruth, 1)
	q.F1 = 2 * q.P * q.R / math.Max(q.P+q.R, 1e-9)
	bp, br = bp/float64(n), br/float64(n)
	q.B3 = 2 * bp * br / (bp + br)
	return q
}

// CPU is the processor time of this process in seconds: walls lie on a machine
// that others use.
func CPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
