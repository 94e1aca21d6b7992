package policies

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/weir-cdp/weir"
)

// Decider decides one question's rows, block after block: the classes that it
// has met are kept, so that each is asked once a run. Not safe for concurrent
// use; give each goroutine its own. An error of any of its methods ends it.
type Decider struct {
	gate    *Gate
	q       Question
	input   Input // what all rows share
	asked   *asked
	lenses  map[List]*lens
	classes map[classKey]*class
	last    []*class // of the last block's rows
	sample  sample
	stats   Stats
	plain   bool // answers are the policy's own, whatever is carried out
}

// Stats are what a decider did.
type Stats struct {
	Rows        int64
	Allowed     int64
	Classes     int64
	Evaluations int64            // of the policy, the audit's included
	Audited     int64            // rows that were asked in full, beside the first of each class
	Reasons     map[string]int64 // denied rows by code; a row counts for each
	Faults      []string         // what went wrong where D31 was given, sorted
}

// key is a row's facts.
type key struct {
	subject Subject
	consent Consent
}

// classKey is what the policy can tell apart.
type classKey struct {
	lens *lens
	cells
}

type class struct {
	id      string
	part    string // once it was asked for
	inputs  string
	lens    *lens
	first   key // the facts of the first row, which the verdict is about
	second  key // of another row, which was asked too
	pair    bool
	verdict Verdict
	until   []limit
	rows    int64
	given   bool // by Drain

	outcomes []*Outcome // by member of an Alike; nil until asked for
}

// limit is the last value of a day count at which a verdict holds.
type limit struct{ count, last int }

// Decider starts a run of one question.
func (g *Gate) Decider(q Question) (*Decider, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	in := q.fixed()
	return &Decider{gate: g, q: q, input: in, asked: g.question(in), lenses: map[List]*lens{}, classes: map[classKey]*class{}, stats: Stats{Reasons: map[string]int64{}}}, nil
}

// Decide decides one block of rows in order. An error means that nothing of the
// run may be used: the context ended, or the policy told rows apart that the gate
// took for one class. Finish completes the run.
func (d *Decider) Decide(ctx context.Context, rows []Candidate) ([]weir.Decision, error) {
	of, err := d.classify(ctx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]weir.Decision, len(rows))
	prefix := d.decisionPrefix()
	for i := range rows {
		c := of[i]
		sum := prefix.of(rows[i].ProfileID)
		out[i] = weir.Decision{ID: hexed(sum), RunID: d.q.Run.ID, Activation: d.q.Activation.Name, ProfileID: rows[i].ProfileID,
			ClassID: c.id, Allow: c.verdict.Allow, At: d.q.Run.Now, ValidUntil: d.validUntil(&rows[i], c)}
		c.rows++
		d.sample.see(binary.BigEndian.Uint64(sum[:]), &rows[i], c)
	}
	d.stats.Rows += int64(len(rows))
	d.last = of
	return out, nil
}

// Finish ends a run: a sample of all its rows is asked in full. Nothing of the run
// may be used before it has succeeded.
func (d *Decider) Finish(ctx context.Context) error { return d.audit(ctx) }

// Decide decides rows of one question in one go.
func (g *Gate) Decide(ctx context.Context, q Question, rows []Candidate) ([]weir.Decision, []weir.DecisionClass, error) {
	d, err := g.Decider(q)
	if err != nil {
		return nil, nil, err
	}
	decisions, err := d.Decide(ctx, rows)
	if err == nil {
		err = d.Finish(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	return decisions, d.Classes(), nil
}

// classify finds each row's class, asks the policy about those that are new, and
// about a second row of each.
func (d *Decider) classify(ctx context.Context, rows []Candidate) ([]*class, error) {
	of := make([]*class, len(rows))
	var firsts, seconds []*class
	var fresh []classKey
	for i := range rows {
		r := &rows[i]
		k := rawKey(r)
		l := d.lenses[r.Subject.Jurisdictions]
		if l == nil {
			l = d.gate.lens(ctx, d.asked, r.Subject.Jurisdictions)
			if ctx.Err() == nil { // else it was cut short
				d.lenses[r.Subject.Jurisdictions] = l
			}
		}
		ck := classKey{l, l.of(&k)}
		c, ok := d.classes[ck]
		switch {
		case !ok:
			c = &class{lens: l, first: k}
			d.classes[ck] = c
			firsts, fresh = append(firsts, c), append(fresh, ck)
		case !c.pair && k != c.first:
			c.second, c.pair = k, true
			seconds = append(seconds, c)
		}
		of[i] = c
	}
	err := d.ask(ctx, firsts, seconds)
	if err != nil { // a class without a verdict must not be met again
		for _, ck := range fresh {
			delete(d.classes, ck)
		}
	}
	return of, err
}

func rawKey(r *Candidate) key {
	k := key{subject: r.Subject, consent: r.Consent}
	k.subject.Regimes = "" // follows from the jurisdictions
	return k
}

// ask asks about the first rows of new classes, and holds second ones against them.
func (d *Decider) ask(ctx context.Context, firsts, seconds []*class) error {
	keys := make([]key, 0, len(firsts)+len(seconds))
	for _, c := range firsts {
		keys = append(keys, c.first)
	}
	for _, c := range seconds {
		keys = append(keys, c.second)
	}
	verdicts, err := d.askAll(ctx, keys)
	if err != nil {
		return err
	}
	for i, c := range firsts {
		d.rule(c, verdicts[i])
	}
	d.stats.Classes += int64(len(firsts))
	d.stats.Audited += int64(len(seconds))
	for i, c := range seconds {
		if err := d.holds(c, c.second, verdicts[len(firsts)+i]); err != nil {
			return err
		}
	}
	return nil
}

// rule gives a class its verdict.
func (d *Decider) rule(c *class, v Verdict) {
	c.verdict, c.inputs = v, c.lens.inputs(&d.asked.texts, &c.first)
	c.id = classID(d.q.Run.Workspace, d.q.Activation.Name, d.gate.revision, c.inputs, v)
	for i, count := range dayCounts {
		if last, ok := v.Until[count]; ok {
			c.until = append(c.until, limit{i, last})
		}
	}
	if f := v.Fault; f != "" && !slices.Contains(d.stats.Faults, f) {
		d.stats.Faults = append(d.stats.Faults, f)
		slices.Sort(d.stats.Faults)
	}
}

// askAll asks about each key; the answers stand in the order of the keys.
func (d *Decider) askAll(ctx context.Context, keys []key) ([]Verdict, error) {
	out, errs := make([]Verdict, len(keys)), make([]error, len(keys))
	one := func(i int) {
		if out[i], errs[i] = d.gate.row(ctx, d.q.Run.ID, d.asked, &keys[i]); !d.plain {
			out[i] = d.q.carried(out[i])
		}
	}
	if len(keys) == 1 {
		one(0)
	} else {
		next := make(chan int)
		var wg sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), len(keys)) {
			wg.Go(func() {
				for i := range next {
					one(i)
				}
			})
		}
		for i := range keys {
			next <- i
		}
		close(next)
		wg.Wait()
	}
	d.stats.Evaluations += int64(len(keys))
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// validUntil is the earliest of the consent's own end, the days on which the policy
// says that its answer ends, and those on which it could tell the row from what it is
// now. A denial has no end.
func (d *Decider) validUntil(r *Candidate, c *class) time.Time {
	if !c.verdict.Allow {
		return time.Time{}
	}
	until := r.ExpiresAt
	for _, l := range c.until {
		until = soonest(until, d.endOf(r, l.count, l.last))
	}
	for i := range c.lens.counts {
		counted := &c.lens.counts[i]
		if !counted.raw && len(counted.from) < 2 {
			continue
		}
		if last := counted.last(countOf(r, i)); last >= 0 {
			until = soonest(until, d.endOf(r, i, last))
		}
	}
	return until
}

// countOf is a row's number of days by its place in dayCounts.
func countOf(r *Candidate, i int) Days {
	return [manyCounts]Days{r.Consent.AgeDays, r.Subject.InactiveDays, r.Subject.OptedOutDays}[i]
}

// endOf is when a number of days has passed its last day.
func (d *Decider) endOf(r *Candidate, i, last int) time.Time {
	since := [manyCounts]time.Time{r.GivenAt, r.LastContactAt, r.OptedOutAt}[i]
	if since.IsZero() { // only the count is known: its day may be nearly over
		return d.q.Run.Now.Add(time.Duration(max(last-int(countOf(r, i))+1, 0)) * 24 * time.Hour)
	}
	return since.Add(time.Duration(last+1) * 24 * time.Hour)
}

// Unchanged says whether a new decision repeats one that is in force, so that it
// need not be written again.
func Unchanged(inForce, next weir.Decision) bool {
	return inForce.ProfileID == next.ProfileID && inForce.Activation == next.Activation && inForce.ClassID == next.ClassID &&
		inForce.Allow == next.Allow && inForce.ValidUntil.Equal(next.ValidUntil)
}

// classID is the same for the same workspace, activation, policy and inputs. A
// class that got no usable answer has an id of its own, since it may get one
// next time; so has one whose obligations the destination can't carry out yet.
func classID(workspace, activation, revision, inputs string, v Verdict) string {
	kind := "class"
	switch {
	case v.Fault != "":
		kind = EvaluationError
	case slices.Contains(v.Reasons, UnmetObligation):
		kind = UnmetObligation
	}
	return digest(kind, workspace, activation, revision, inputs)
}

// digestPrefix is the part of a digest's text that many share.
type digestPrefix []byte

func (d *Decider) decisionPrefix() digestPrefix {
	return texts("decision", d.q.Run.Workspace, string(d.q.Run.ID), d.q.Activation.Name)
}

func (p digestPrefix) of(last string) (out [16]byte) {
	var buf [256]byte
	b := append(append(append(buf[:0], p...), last...), 0)
	sum := sha256.Sum256(b)
	copy(out[:], sum[:])
	return out
}

// digest hashes texts, which hold no NUL, to 128 bits.
func digest(parts ...string) string {
	n := len(parts) - 1
	return hexed(texts(parts[:n]...).of(parts[n]))
}

func texts(parts ...string) digestPrefix {
	var b []byte
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	return b
}

func hexed(sum [16]byte) string {
	var b [32]byte
	hex.Encode(b[:], sum[:])
	return string(b[:])
}

func obligationsText(o map[string]string) string {
	if len(o) == 0 {
		return "{}"
	}
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // texts only
	}
	return string(b)
}
