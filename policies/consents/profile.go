package consents

import (
	"time"

	"github.com/weir-cdp/weir"
)

// Address is one identifier value: where something can be sent, or by what a
// person is known.
type Address struct {
	Kind  string
	Value string
}

// Profile is what the fold needs of one profile.
type Profile struct {
	// Entries are all consent entries whose identifier is one of the profile's,
	// whether or not that value is ambiguous: a shared address carries its
	// restrictions to everybody who holds it.
	Entries []weir.Consent
	// Held are the identifiers of each of the profile's records: what a source
	// itself holds together.
	Held []weir.Identifiers
}

// Query asks about one purpose, one channel and the addresses that would be
// used: a grant must reach every one of them.
type Query struct {
	Purpose   string
	Channel   string
	Addresses []Address // none: no grant reaches
	Now       time.Time
	// Devices are the identifier kinds that name a device and no person; nil:
	// DeviceKinds.
	Devices []string
}

// DeviceKinds are the identifier kinds that name a device and no person, unless
// a query says otherwise.
var DeviceKinds = []string{"anonymous_id", "cookie_id", "device_id", "idfa", "gaid"}

// Status is what consent says about a query.
type Status string

// The statuses. Only Granted is a basis.
const (
	None      Status = "none"
	Given     Status = "granted"
	Refused   Status = "denied"
	Withdrawn Status = "withdrawn"
	Expired   Status = "expired"
)

// State is the answer to a query. Its zero value grants nothing.
type State struct {
	Status    Status
	GivenAt   time.Time // of the governing grant; zero: never or not known when
	ExpiresAt time.Time // of the governing grant; zero: never said
	Explicit  bool      // the governing grant was express
	Proof     bool      // the governing grant names its evidence
	Objected  bool
	OptedOut  bool // of sale and sharing
	Signal    bool // a device signal (GPC) that no later express opt-in overrides
	// LimitSensitive, OptedOutAds and OptedOutProfiling are the other choices of US
	// law; a later express opt-in of the known person overrides them.
	LimitSensitive    bool
	OptedOutAds       bool
	OptedOutProfiling bool
	// OptedOutAt is when the latest opt-out of sale in force occurred; zero: never,
	// or not known when.
	OptedOutAt time.Time
	// Suppressed says that the channel must not be used (STOP, a complaint, a hard
	// bounce); SuppressedAt is the latest such entry. SuppressedElsewhere says it
	// of another channel.
	Suppressed          bool
	SuppressedAt        time.Time
	SuppressedElsewhere bool
	Guardian            bool // the governing grant was given by a parent or guardian
	Restricted          bool
	Erasure             bool
	// Jurisdictions are those that the entries claim, sorted.
	Jurisdictions []string
	// Rests are the ids of the entries that the answer rests on, sorted.
	Rests []string
}
