package stages

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/project"
)

// This file is what keeps members of a segment from being sent before any policy is
// asked: suppression segments, waterfalls, contact pressure (contact.yaml).
//
// Whom a suppression segment holds is taken away from where they are, in every mode
// that removes. Who counts for an earlier segment of a waterfall is treated as who
// left the segment. Contact pressure only delays what is not there yet: it removes
// nobody, and what a destination holds is kept up to date.

const heldBackTable = "activation.held_back"

// barrier is who is held back from one activation.
type barrier struct {
	suppress []string // segments
	ahead    []string // those of the waterfall before the activation's
	unknown  []string // of both, those that no run has computed
	limits   []int    // of contact pressure, that its deliveries count for
	waits    bool     // for room under them
}

// holdingSegments are the segments that hold somebody back from these activations.
func holdingSegments(p *project.Project, activations []weir.ActivationDef) []string {
	var out []string
	for _, a := range activations {
		out = append(append(out, p.Suppressing(a)...), p.Ahead(a)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// uncomputed lists the segments that hold people back and that no run has computed
// yet: who is in them is not known, so nothing new is sent past them.
func (h *House) uncomputed(ctx context.Context, p *project.Project) ([]string, error) {
	names := holdingSegments(p, p.Activations)
	if len(names) == 0 {
		return nil, nil
	}
	computed, _, err := (&inputs{house: h}).definitions(ctx)
	return slices.DeleteFunc(names, func(n string) bool { _, ok := computed[n]; return ok }), err
}

func barrierOf(p *project.Project, a weir.ActivationDef, uncomputed []string) barrier {
	out := barrier{suppress: p.Suppressing(a), ahead: p.Ahead(a), waits: a.Pressure == "" || a.Pressure == weir.PressureHeld}
	for _, s := range slices.Concat(out.suppress, out.ahead) {
		if slices.Contains(uncomputed, s) {
			out.unknown = append(out.unknown, s)
		}
	}
	for i, limit := range p.Contact.Pressure {
		if a.Pressure != weir.PressureExempt && (limit.Channel == "" || limit.Channel == a.Channel) {
			out.limits = append(out.limits, i)
		}
	}
	return out
}

// first returns the first of the segments that a person is in; "" if none.
func first(segments []string, p *person) string {
	if i := slices.IndexFunc(segments, func(s string) bool { return slices.Contains(p.segments, s) }); i >= 0 {
		return segments[i]
	}
	return ""
}

// belongs tells whether a person counts as a member of an activation's segment, and
// whether they have to be looked at at all.
func (x *deciding) belongs(a *decidingFor, p *person) (member, looked bool, err error) {
	member = slices.Contains(p.segments, a.def.Segment)
	_, held := p.state[a.def.Name]
	stays := member || (held && a.def.Mode == weir.Upsert)
	if !member && !held {
		return false, false, nil
	}
	if by := first(a.suppress, p); by != "" {
		if stays {
			err = x.holdBack(a, p.profile, weir.HeldBySuppression, by)
		}
		return false, false, err
	}
	if by := first(a.ahead, p); by != "" && member {
		member, err = false, x.holdBack(a, p.profile, weir.HeldByWaterfall, by)
	}
	if member && !held && len(a.unknown) > 0 {
		member, err = false, x.holdBack(a, p.profile, weir.HeldForUnknown, a.unknown[0])
	}
	return member, member || held, err
}

// holdBack tells of one person. A rehearsal tells nobody.
func (x *deciding) holdBack(a *decidingFor, profile, reason, by string) error {
	if x.rehearses {
		return nil
	}
	a.counts[reason]++
	return a.back.Write(weir.HeldBack{Activation: a.def.Name, ProfileID: profile, Reason: reason, By: by})
}

// makeRoom takes from a block those for whom there is no room. It is asked right
// before the block is decided, when everything of higher priority is.
func (x *deciding) makeRoom(a *decidingFor) error {
	if !a.waits || len(a.limits) == 0 {
		return nil
	}
	kept := a.block[:0]
	for _, b := range a.block {
		full := -1
		if b.refused[0] != b.row.Key { // else what was refused may be what would go: takeRoom knows
			full = x.full(a, b)
		}
		if full < 0 {
			kept = append(kept, b)
		} else if err := x.holdBack(a, b.row.ProfileID, weir.HeldByPressure, saysLimit(x.p.Contact.Pressure[full])); err != nil {
			return err
		}
	}
	a.block = kept
	return nil
}

// full is the first limit under which there is no room for a delivery; -1: there is.
func (x *deciding) full(a *decidingFor, b pending) int {
	if b.held.ProfileID != "" { // an update, which is none
		return -1
	}
	for _, i := range a.limits {
		if b.sent[i] >= int64(x.p.Contact.Pressure[i].AtMost) {
			return i
		}
	}
	return -1
}

// takeRoom counts a delivery that this run plans, as it would be sent: with what its
// obligations make of it. What was refused as it is takes no room. One under a key that
// was refused, but with another content, was let through to here: false where there is
// no room for it after all.
func (x *deciding) takeRoom(a *decidingFor, b pending) (bool, error) {
	if len(a.limits) == 0 || b.held.ProfileID != "" || b.refused == [2]string{b.row.Key, b.row.Checksum} {
		return true, nil
	}
	if full := x.full(a, b); a.waits && full >= 0 {
		return false, x.holdBack(a, b.row.ProfileID, weir.HeldByPressure, saysLimit(x.p.Contact.Pressure[full]))
	}
	for _, i := range a.limits {
		b.sent[i]++
	}
	return true, nil
}

// flushAll decides all blocks, in the order of priority.
func (x *deciding) flushAll(ctx context.Context) error {
	for _, a := range x.order {
		if a.decider == nil {
			continue
		}
		if err := x.flush(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (x *deciding) heldBackWriter(ctx context.Context, scope string) (*rowfile.TableWriter[weir.HeldBack], error) {
	return rowfile.NewTableWriter[weir.HeldBack](ctx, x.store(), schema.Named(heldBackTable), scope)
}
