package policies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weir-cdp/weir"
)

// Decider decides one question's rows, block after block: the classes that it
// has met are kept, so that each is asked once a run. Not safe for concurrent
// use; give each goroutine its own.
type Decider struct {
	gate    *Gate
	q       Question
	input   Input // what all rows share
	classes map[key]*class
	audited map[key]Verdict
	stats   Stats
}

// Stats are what a decider did.
type Stats struct {
	Rows        int64
	Allowed     int64
	Classes     int64
	Evaluations int64            // of the policy, the audit's included
	Audited     int64            // rows that were asked in full
	Reasons     map[string]int64 // denied rows by code; a row counts for each
	Faults      []string         // what went wrong where D31 was given, sorted
}

// key is what the policy can tell apart.
type key struct {
	subject Subject
	consent Consent
}

type class struct {
	id        string
	key       key
	verdict   Verdict
	witnesses []key // the raw facts of at most two rows, different ones
}

// maxAudited bounds what the audit remembers.
const maxAudited = 1 << 16

// Decider starts a run of one question.
func (g *Gate) Decider(q Question) (*Decider, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	return &Decider{gate: g, q: q, input: q.fixed(), classes: map[key]*class{}, audited: map[key]Verdict{}, stats: Stats{Reasons: map[string]int64{}}}, nil
}

// Decide decides one block of rows in order. An error means that nothing of the
// block may be used: the context ended, or the audit found the policy telling
// rows apart that the gate took for one class.
func (d *Decider) Decide(ctx context.Context, rows []Candidate) ([]weir.Decision, error) {
	of, fresh := d.classify(rows)
	if err := d.evaluate(ctx, fresh); err != nil {
		return nil, err
	}
	if err := d.audit(ctx, rows, of); err != nil {
		return nil, err
	}
	out := make([]weir.Decision, len(rows))
	for i := range rows {
		c := of[i]
		out[i] = weir.Decision{ID: d.decisionID(rows[i].ProfileID), RunID: d.q.Run.ID, Activation: d.q.Activation.Name, ProfileID: rows[i].ProfileID,
			ClassID: c.id, Allow: c.verdict.Allow, At: d.q.Run.Now, ValidUntil: d.validUntil(&rows[i], c.verdict)}
		d.count(c.verdict)
	}
	return out, nil
}

// Decide decides rows of one question in one go.
func (g *Gate) Decide(ctx context.Context, q Question, rows []Candidate) ([]weir.Decision, []weir.DecisionClass, error) {
	d, err := g.Decider(q)
	if err != nil {
		return nil, nil, err
	}
	decisions, err := d.Decide(ctx, rows)
	if err != nil {
		return nil, nil, err
	}
	return decisions, d.Classes(), nil
}

// classify finds each row's class, and those that are new, in the order of rows.
func (d *Decider) classify(rows []Candidate) (of []*class, fresh []*class) {
	of = make([]*class, len(rows))
	for i := range rows {
		k := d.keyOf(&rows[i])
		c, ok := d.classes[k]
		if !ok {
			c = &class{key: k}
			d.classes[k] = c
			fresh = append(fresh, c)
		}
		of[i] = c
	}
	return of, fresh
}

func (d *Decider) keyOf(r *Candidate) key {
	k := rawKey(r)
	k.subject.InactiveDays = d.gate.vocab.bucket(k.subject.InactiveDays)
	k.consent.AgeDays = d.gate.vocab.bucket(k.consent.AgeDays)
	k.subject.OptedOutDays = d.gate.vocab.bucket(k.subject.OptedOutDays)
	return k
}

func rawKey(r *Candidate) key {
	k := key{subject: r.Subject, consent: r.Consent}
	k.subject.Regimes = "" // follows from the jurisdictions
	return k
}

func (d *Decider) inputOf(k key) Input {
	in := d.input
	in.Subject, in.Consent = k.subject, k.consent
	in.Subject.Regimes = d.gate.vocab.regimes(k.subject.Jurisdictions)
	return in
}

// evaluate asks the policy about new classes, on all processors.
func (d *Decider) evaluate(ctx context.Context, fresh []*class) error {
	keys := make([]key, len(fresh))
	for i, c := range fresh {
		keys[i] = c.key
	}
	verdicts, err := d.askAll(ctx, keys)
	if err != nil {
		for _, c := range fresh {
			delete(d.classes, c.key) // a class without a verdict must not be met again
		}
		return err
	}
	for i, c := range fresh {
		c.verdict = verdicts[i]
		c.id = d.classID(c)
		if f := c.verdict.Fault; f != "" && !slices.Contains(d.stats.Faults, f) {
			d.stats.Faults = append(d.stats.Faults, f)
			slices.Sort(d.stats.Faults)
		}
	}
	d.stats.Classes = int64(len(d.classes))
	return nil
}

// askAll asks about each key; the answers stand in the order of the keys.
func (d *Decider) askAll(ctx context.Context, keys []key) ([]Verdict, error) {
	out, errs := make([]Verdict, len(keys)), make([]error, len(keys))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(keys)) {
		wg.Go(func() {
			for i := range next {
				out[i], errs[i] = d.gate.Evaluate(ctx, d.inputOf(keys[i]))
			}
		})
	}
	for i := range keys {
		next <- i
	}
	close(next)
	wg.Wait()
	d.stats.Evaluations += int64(len(keys))
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *Decider) count(v Verdict) {
	d.stats.Rows++
	if v.Allow {
		d.stats.Allowed++
	}
	for _, code := range v.Reasons {
		d.stats.Reasons[code]++
	}
}

// validUntil is the earliest of the consent's own end and the days on which the
// policy says that its answer ends. A denial has no end.
func (d *Decider) validUntil(r *Candidate, v Verdict) time.Time {
	if !v.Allow {
		return time.Time{}
	}
	until := r.ExpiresAt
	for count, last := range v.Until {
		since, days := r.GivenAt, r.Consent.AgeDays
		if count == "subject.inactive_days" {
			since, days = r.LastContactAt, r.Subject.InactiveDays
		}
		end := since.Add(time.Duration(last+1) * 24 * time.Hour)
		if since.IsZero() { // only the count is known: its day may be nearly over
			end = d.q.Run.Now.Add(time.Duration(max(last-int(days)+1, 0)) * 24 * time.Hour)
		}
		if until.IsZero() || end.Before(until) {
			until = end
		}
	}
	return until
}

// Classes are all classes met so far, as rows of consent.classes, sorted by id.
func (d *Decider) Classes() []weir.DecisionClass {
	out := make([]weir.DecisionClass, 0, len(d.classes))
	for _, c := range d.classes {
		v := c.verdict
		out = append(out, weir.DecisionClass{ID: c.id, Activation: d.q.Activation.Name, PolicyRevision: d.gate.revision, Inputs: string(d.inputOf(c.key).canonical()),
			Allow: v.Allow, Basis: v.Basis, Reasons: v.Reasons, Obligations: obligationsText(v.Obligations), Rules: v.Rules})
	}
	slices.SortFunc(out, func(a, b weir.DecisionClass) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Stats says what was done so far.
func (d *Decider) Stats() Stats {
	s := d.stats
	s.Reasons, s.Faults = maps.Clone(s.Reasons), slices.Clone(s.Faults)
	return s
}

// Unchanged says whether a new decision repeats one that is in force, so that it
// need not be written again.
func Unchanged(inForce, next weir.Decision) bool {
	return inForce.ProfileID == next.ProfileID && inForce.Activation == next.Activation && inForce.ClassID == next.ClassID &&
		inForce.Allow == next.Allow && inForce.ValidUntil.Equal(next.ValidUntil)
}

// classID is the same for the same workspace, activation, policy and inputs. A
// class that got no usable answer has an id of its own, since it may get one
// next time.
func (d *Decider) classID(c *class) string {
	return classID(d.q.Run.Workspace, d.q.Activation.Name, d.gate.revision, string(d.inputOf(c.key).canonical()), c.verdict.Fault != "")
}

func classID(workspace, activation, revision, inputs string, faulty bool) string {
	kind := "class"
	if faulty {
		kind = EvaluationError
	}
	return digest(kind, workspace, activation, revision, inputs)
}

func (d *Decider) decisionID(profile string) string {
	return digest("decision", d.q.Run.Workspace, string(d.q.Run.ID), d.q.Activation.Name, profile)
}

// digest hashes texts, which hold no NUL, to 128 bits.
func digest(parts ...string) string {
	var buf [256]byte
	b := buf[:0]
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
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
