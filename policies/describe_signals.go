package policies

import (
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/consents"
	"github.com/weir-cdp/weir/policies/signals"
)

// Expanded are a profile's entries with each signal replaced by what it says:
// opt-outs, or nothing. A signal that can't be read stays one, which counts as
// an opt-out. The entries that are given are not changed.
func Expanded(p consents.Profile) consents.Profile {
	if !slices.ContainsFunc(p.Entries, func(e weir.Consent) bool { return e.Action == weir.Signal }) {
		return p
	}
	out := consents.Profile{Held: p.Held, Entries: make([]weir.Consent, 0, len(p.Entries))}
	for _, e := range p.Entries {
		out.Entries = append(out.Entries, signals.Expand(e)...)
	}
	return out
}

// signalled folds what signals say about one question, by the rules for what
// people say: a grant holds for the identifier that it came with and those that
// a source holds together with it, a refusal for the whole person, and the
// latest word wins. answer gives a signal's word, or false if it has none.
func signalled(p Person, channel string, now time.Time, answer func(signals.Reading) (signals.Answer, bool)) SignalState {
	about := consents.Profile{Held: p.Consents.Held}
	for _, e := range p.Consents.Entries {
		if e.Action != weir.Signal {
			continue
		}
		word, ok := answer(signals.Read(e.Method, e.RawSignal))
		if !ok {
			continue
		}
		e.Purpose, e.Channel, e.Action, e.ExpiresAt = "signal", "", weir.Granted, time.Time{}
		switch word {
		case signals.Granted:
		case signals.Denied:
			e.Action = weir.RefusedConsent
		default:
			e.Action = weir.Withdrawn // marks what is not known; it is no withdrawal
		}
		about.Entries = append(about.Entries, e)
	}
	if len(about.Entries) == 0 {
		return SignalMissing
	}
	switch consents.Fold(about, consents.Query{Purpose: "signal", Channel: channel, Addresses: p.Addresses, Now: now}).Status {
	case consents.Given:
		return SignalGranted
	case consents.Refused:
		return SignalDenied
	case consents.None:
		return SignalMissing // it was given for an identifier of somebody else's record
	}
	return SignalUnknown
}

// tcf is what the person's TC strings say for the destination's vendor, and the
// purposes that data/purposes.yaml gives to this one; without them all of TCF's.
func (d *Decider) tcf(p Person) SignalState {
	if d.input.Destination.TCF != Yes {
		return SignalUnknown
	}
	purposes := d.gate.vocab.tcf[d.q.Activation.Purpose]
	if len(purposes) == 0 {
		purposes = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	}
	return signalled(p, d.q.Activation.Channel, d.q.Run.Now, func(r signals.Reading) (signals.Answer, bool) {
		switch {
		case r.TC != nil:
			return r.TC.Vendor(d.q.Destination.TCFVendor, purposes), true
		case r.Kind == signals.Unreadable:
			return signals.Unknown, true
		}
		return "", false
	})
}

// google is what consent mode says of audiences.
func (d *Decider) google(p Person) SignalState {
	if d.input.Destination.Google != Yes {
		return SignalUnknown
	}
	return signalled(p, d.q.Activation.Channel, d.q.Run.Now, func(r signals.Reading) (signals.Answer, bool) {
		switch {
		case r.Kind == signals.Google && r.GoogleGranted:
			return signals.Granted, true
		case r.Kind == signals.Google:
			return signals.Denied, true
		case r.Kind == signals.Unreadable:
			return signals.Unknown, true
		}
		return "", false
	})
}
