package policies

import (
	"context"
	"encoding/binary"
	"reflect"
	"strings"

	"github.com/weir-cdp/weir"
)

// Alike are deciders of one gate, run and subject whose questions are one to the
// policy: activations of the same purpose, channel, categories and destination's
// privacy. It is asked once for all of them; what each one's destination carries out
// comes after. It is for rehearsals: it answers, and records nothing. Not safe for
// concurrent use.
type Alike struct {
	decider  *Decider
	members  []Question
	outcomes map[string]*Outcome
	last     []*class
}

// Outcome is an answer as an activation gets it. Rows that get the same share one.
type Outcome struct {
	Allow   bool
	Reasons []string // codes against it, sorted; empty if it may go
}

// likeness is all that a decider reads of its own question, beside the run and the
// subject, until the policy has answered.
type likeness struct {
	input            Input
	purpose, channel string
	vendor           int
}

// Group sorts deciders into those alike, in the order of the first of each. place tells
// of each decider its group, and its number there.
func Group(deciders []*Decider) (groups []*Alike, place [][2]int, err error) {
	at := map[likeness]int{}
	for _, d := range deciders {
		first := deciders[0]
		if d.gate != first.gate || !reflect.DeepEqual(d.q.Run, first.q.Run) || !reflect.DeepEqual(d.q.Subject, first.q.Subject) {
			return nil, nil, weir.Errorf(weir.Internal, "deciders of several gates, runs or subjects can't be asked together")
		}
		k := likeness{d.input, d.q.Activation.Purpose, d.q.Activation.Channel, d.q.Destination.TCFVendor}
		n, known := at[k]
		if !known {
			n = len(groups)
			at[k] = n
			asks := *d
			asks.lenses, asks.classes, asks.plain = map[List]*lens{}, map[classKey]*class{}, true
			asks.stats = Stats{Reasons: map[string]int64{}}
			groups = append(groups, &Alike{decider: &asks, outcomes: map[string]*Outcome{}})
		}
		place = append(place, [2]int{n, len(groups[n].members)})
		groups[n].members = append(groups[n].members, d.q)
	}
	return groups, place, nil
}

// Decider describes people for the group.
func (a *Alike) Decider() *Decider { return a.decider }

// Decide decides one block of rows in order; Outcome tells of them until the next. An
// error means, as of a decider, that nothing of it all may be used. Finish completes it.
func (a *Alike) Decide(ctx context.Context, rows []Candidate) error {
	d := a.decider
	if d.Full() {
		d.Drain()
	}
	of, err := d.classify(ctx, rows)
	if err != nil {
		return err
	}
	prefix := d.decisionPrefix()
	for i := range rows {
		sum := prefix.of(rows[i].ProfileID)
		d.sample.see(binary.BigEndian.Uint64(sum[:]), &rows[i], of[i])
		of[i].rows++
	}
	d.stats.Rows += int64(len(rows))
	a.last = of
	return nil
}

// Outcome is what a row of the last block gets in an activation of the group.
func (a *Alike) Outcome(member, row int) *Outcome {
	c := a.last[row]
	if c.outcomes == nil {
		c.outcomes = make([]*Outcome, len(a.members))
	}
	if c.outcomes[member] == nil {
		v := a.members[member].carried(c.verdict)
		text := strings.Join(v.Reasons, "\x00")
		if v.Allow {
			text = "\x00allow" // no code begins so
		}
		if a.outcomes[text] == nil {
			a.outcomes[text] = &Outcome{v.Allow, v.Reasons}
		}
		c.outcomes[member] = a.outcomes[text]
	}
	return c.outcomes[member]
}

// Finish ends it: a sample of all rows is asked in full.
func (a *Alike) Finish(ctx context.Context) error { return a.decider.Finish(ctx) }
