package policies

import (
	"container/heap"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// The audit's sample: at least this many rows of a run, and one in this many.
const (
	sampleRows  = 1000
	sampleShare = 1000
)

// sample keeps rows of a run, each as likely as any other: those with the smallest
// digests of run, activation and profile. It is a heap, the largest on top.
type sample struct{ rows []sampled }

type sampled struct {
	hash uint64
	key  key
	of   *class
}

// see takes a row, or leaves it.
func (s *sample) see(hash uint64, r *Candidate, c *class) {
	const share = math.MaxUint64 / sampleShare
	if len(s.rows) >= sampleRows && hash >= share && hash >= s.rows[0].hash {
		return
	}
	heap.Push(s, sampled{hash, rawKey(r), c})
	for len(s.rows) > sampleRows && s.rows[0].hash >= share {
		heap.Pop(s)
	}
}

// Len implements heap.Interface.
func (s *sample) Len() int { return len(s.rows) }

// Less implements heap.Interface.
func (s *sample) Less(i, j int) bool { return s.rows[i].hash > s.rows[j].hash }

// Swap implements heap.Interface.
func (s *sample) Swap(i, j int) { s.rows[i], s.rows[j] = s.rows[j], s.rows[i] }

// Push implements heap.Interface.
func (s *sample) Push(x any) { s.rows = append(s.rows, x.(sampled)) }

// Pop implements heap.Interface.
func (s *sample) Pop() any {
	last := s.rows[len(s.rows)-1]
	s.rows = s.rows[:len(s.rows)-1]
	return last
}

// audit asks the policy in full about the sample. A row that gets another answer than
// its class would go, or stay, against the policy: the run is refused.
func (d *Decider) audit(ctx context.Context) error {
	rows := d.sample.rows
	d.sample.rows = nil
	var keys []key
	at := map[key]int{}
	for _, r := range rows {
		if _, double := at[r.key]; !double && r.key != r.of.first && !(r.of.pair && r.key == r.of.second) {
			at[r.key] = len(keys)
			keys = append(keys, r.key)
		}
	}
	verdicts, err := d.askAll(ctx, keys)
	if err != nil {
		return err
	}
	d.stats.Audited += int64(len(rows))
	for _, r := range rows {
		i, asked := at[r.key]
		if !asked {
			continue // as first or second of its class
		}
		if err := d.holds(r.of, r.key, verdicts[i]); err != nil {
			return err
		}
	}
	return nil
}

// holds refuses the run if a row's answer is not that of its class.
func (d *Decider) holds(c *class, k key, v Verdict) error {
	if v.equal(c.verdict) {
		return nil
	}
	return weir.Errorf(weir.Invalid, "the policy tells rows of one class apart, so the run of %s is refused and nothing is sent: %s gives %s, %s gives %s",
		d.q.Activation.Name, d.inputOf(c.first).canonical(), words(c.verdict), d.inputOf(k).canonical(), words(v)).
		At("policy revision " + d.gate.revision).
		Then("this is a defect of the gate's class analysis: report it with this message, and go back to the revision before")
}

// Input is all that the policy is asked about a row.
func (d *Decider) Input(c Candidate) Input { return d.inputOf(rawKey(&c)) }

func (d *Decider) inputOf(k key) Input {
	in := d.input
	in.Subject, in.Consent = k.subject, k.consent
	in.Subject.Regimes = d.gate.vocab.regimes(k.subject.Jurisdictions)
	return in
}

func words(v Verdict) string {
	if v.Allow && len(v.Obligations) > 0 {
		return "allow (" + v.Basis + ") with " + strings.Join(slices.Sorted(maps.Keys(v.Obligations)), ", ")
	}
	if v.Allow && v.Basis == "" {
		return "allow" // a case that leaves the basis open
	}
	if v.Allow {
		return "allow (" + v.Basis + ")"
	}
	return "deny (" + strings.Join(v.Reasons, ", ") + ")"
}
