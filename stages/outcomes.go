package stages

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
	"github.com/weir-cdp/weir/connectors"
)

// outcomes gathers what became of a chunk's rows.
type outcomes struct {
	d    *delivering
	rows map[string]*weir.Delivery
	// maybe are rows of which a try ended without an answer: they may be at the
	// destination.
	maybe map[string]bool
}

func (o *outcomes) add(c change) {
	o.rows[c.ID] = &weir.Delivery{ID: c.ID, RunID: o.d.sp.Run.ID, Activation: c.Activation, Destination: o.d.sp.Destination, ProfileID: c.ProfileID,
		DeliveredKey: c.Key, Op: c.Op, DecisionID: c.DecisionID, Checksum: c.Checksum, Sequence: c.Sequence, At: o.d.now(), Channel: c.Channel}
}

// Stopped is the status of a row that the gate stopped before it was sent.
const Stopped = "stopped"

// stop ends a row's tries. One that may have arrived counts as held, so that the
// next difference takes it away.
func (o *outcomes) stop(id, why string) {
	o.rows[id].Status, o.rows[id].Reply = Stopped, why
	if o.maybe[id] {
		o.rows[id].Status = Unknown
	}
}

// unsure counts a try that gave no answer.
func (o *outcomes) unsure(id string) {
	o.rows[id].Attempts++
	o.maybe[id] = true
}

func (o *outcomes) set(id string, x connectors.Outcome) {
	r := o.rows[id]
	r.Attempts++
	r.Status, r.Reply, r.At = string(x.Status), x.Reply, o.d.now()
	if x.Status == connectors.Retry {
		o.maybe[id] = true // a gateway may have answered for a receiver that took it
	}
	if x.Status == connectors.Rejected && o.maybe[id] {
		r.Status = Unknown // it may be refused because it is there already
	}
}

// noAnswer begins the reply of a row whose destination went away.
const noAnswer = "no answer: "

// giveUp ends the tries of a row that the destination wanted later each time, or
// did not answer for, and then why.
func (o *outcomes) giveUp(id string, why error) {
	o.rows[id].Status = Unknown
	if why != nil {
		o.rows[id].Reply = noAnswer + activities.Bound(why.Error())
	}
}

func (o *outcomes) all(changes []change) []weir.Delivery {
	out := make([]weir.Delivery, len(changes))
	for i, c := range changes {
		out[i] = *o.rows[c.ID]
	}
	return out
}
