package weir

import "time"

// ContactDef is contact.yaml: what holds over all activations together, before
// the gate is asked.
type ContactDef struct {
	Suppress   []string       `json:"suppress,omitempty"` // segments whose members no activation sends
	Waterfalls []WaterfallDef `json:"waterfalls,omitempty"`
	Pressure   []PressureDef  `json:"pressure,omitempty"`
	Priority   []string       `json:"priority,omitempty"` // activations, the first first; others follow by name
}

// WaterfallDef is a list of segments that exclude each other: a profile counts for
// the first that it is in.
type WaterfallDef struct {
	Name     string   `json:"name"`
	Segments []string `json:"segments"`
}

// PressureDef bounds how often a profile is written to: AtMost deliveries of a
// channel in a window that ends now. Exactly one of Within and Window is set.
type PressureDef struct {
	Channel string        `json:"channel,omitempty"` // "": of all channels together
	AtMost  int           `json:"at_most"`
	Within  time.Duration `json:"within,omitempty"`
	Window  *Window       `json:"window,omitempty"`
}

// How an activation stands to contact pressure.
const (
	PressureHeld    = "held"    // it waits for room, and counts; also ""
	PressureCounted = "counted" // it never waits, but counts
	PressureExempt  = "exempt"  // it neither waits nor counts
)

// HeldBack is a row of activation.held_back: who belongs to an activation's segment
// and is not sent there, before any policy is asked. What a policy refuses is in
// consent.decisions.
type HeldBack struct {
	Activation string `parquet:"activation" json:"activation"`
	ProfileID  string `parquet:"profile_id" json:"profile_id"`
	Reason     string `parquet:"reason" json:"reason"`
	By         string `parquet:"held_by" json:"held_by"` // the suppression segment, the waterfall's earlier segment, the limit
}

// Why somebody is held back.
const (
	HeldBySuppression = "suppressed"   // in a suppression segment
	HeldForUnknown    = "not_computed" // nobody can say yet who is in such a segment
	HeldByWaterfall   = "waterfall"    // counts for an earlier segment of the waterfall
	HeldByPressure    = "pressure"     // was, or will be in this run, written to often enough
)
