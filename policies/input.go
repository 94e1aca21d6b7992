package policies

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Input is what the policy is asked: bundle/schemas/input.schema.json, field by
// field. Fields stand in the order of their JSON names, so that their encoding
// is canonical. It holds no clock: days are counted by the host, so that a
// class's inputs are the same tomorrow.
type Input struct {
	Activation  Activation  `json:"activation"`
	Consent     Consent     `json:"consent"`
	Controller  Controller  `json:"controller"`
	Destination Destination `json:"destination"`
	Subject     Subject     `json:"subject"`
}

// Activation is what is asked for; fixed for a Question.
type Activation struct {
	Categories  List   `json:"categories"`
	Channel     string `json:"channel"`
	Device      Fact   `json:"device"` // it uses an identifier that is read from a device
	Effect      string `json:"effect"` // none, significant
	HumanReview Fact   `json:"human_review"`
	Purpose     string `json:"purpose"`
}

// Controller is who runs the workspace; fixed for a Question.
type Controller struct {
	Charity Fact `json:"charity"`
	Minors  Fact `json:"minors"` // what it offers is directed at minors
}

// Consent is what the entries say for exactly this purpose, channel and address.
// Comparable: it is part of a class's key.
type Consent struct {
	AgeDays       Days        `json:"age_days"`
	DeviceStorage Fact        `json:"device_storage"` // consent to read and store on the device; asked only if the activation uses one
	Explicit      Fact        `json:"explicit"`
	Google        SignalState `json:"google"` // ad_user_data and ad_personalization; asked only of Google's destinations
	Guardian      Fact        `json:"guardian"`
	Proof         Fact        `json:"proof"`
	Status        Status      `json:"status"`
	TCF           SignalState `json:"tcf"` // the TC string, for this vendor and its purposes; asked only of vendors
}

// Destination is what the destination declares; fixed for a Question.
type Destination struct {
	Country   string `json:"country"`
	DPA       Fact   `json:"dpa"`
	Google    Fact   `json:"google"`
	Kind      string `json:"kind"`
	Mechanism string `json:"mechanism"`
	Purposes  List   `json:"purposes"`
	Role      string `json:"role"`
	TCF       Fact   `json:"tcf"` // it is a vendor of the Transparency and Consent Framework
	Transfer  string `json:"transfer"`
}

// Subject is what is known of the person. Comparable: it is part of a class's key.
type Subject struct {
	AgeBand             AgeBand     `json:"age_band"`
	Customer            Fact        `json:"customer"`
	Erasure             Erasure     `json:"erasure"`
	GPC                 Fact        `json:"gpc"`
	InactiveDays        Days        `json:"inactive_days"`
	Jurisdictions       List        `json:"jurisdictions"`
	LimitSensitive      Fact        `json:"limit_sensitive"`
	Objected            Fact        `json:"objected"`
	OptOutOffered       Fact        `json:"opt_out_offered"`
	OptedOut            Fact        `json:"opted_out"`
	OptedOutAds         Fact        `json:"opted_out_ads"`
	OptedOutDays        Days        `json:"opted_out_days"`
	OptedOutProfiling   Fact        `json:"opted_out_profiling"`
	Regimes             List        `json:"regimes"` // filled by the gate from Jurisdictions
	Restricted          Fact        `json:"restricted"`
	Suppressed          Suppression `json:"suppressed"`
	SuppressedElsewhere Fact        `json:"suppressed_elsewhere"`
}

// Fact is yes, no or (its zero value) unknown.
type Fact uint8

// The facts.
const (
	Unknown Fact = iota
	No
	Yes
)

var factNames = []string{"unknown", "no", "yes"}

// FactOf is Yes or No.
func FactOf(b bool) Fact {
	if b {
		return Yes
	}
	return No
}

// Status is a consent's status; its zero value is unknown.
type Status uint8

// The statuses.
const (
	StatusUnknown Status = iota
	StatusNone
	StatusGranted
	StatusDenied
	StatusWithdrawn
	StatusExpired
)

var statusNames = []string{"unknown", "none", "granted", "denied", "withdrawn", "expired"}

// Erasure says how far a request to be erased is; its zero value is unknown.
type Erasure uint8

// The states of erasure.
const (
	ErasureUnknown Erasure = iota
	ErasureNone
	ErasureRequested
	ErasureDone
)

var erasureNames = []string{"unknown", "none", "requested", "done"}

// AgeBand is a person's age as the law cuts it; its zero value is unknown.
type AgeBand uint8

// The bands, in years: somewhere each year from 13 to 18 is a limit.
const (
	AgeUnknown AgeBand = iota
	AgeUnder13
	Age13
	Age14
	Age15
	Age16
	Age17
	Adult
)

var ageNames = []string{"unknown", "under_13", "age_13", "age_14", "age_15", "age_16", "age_17", "adult"}

// SignalState is what a decoded signal says; its zero value is unknown.
type SignalState uint8

// The states of a signal. Missing: none was received.
const (
	SignalUnknown SignalState = iota
	SignalMissing
	SignalDenied
	SignalGranted
)

var signalNames = []string{"unknown", "missing", "denied", "granted"}

// Suppression says whether a channel was closed; its zero value is unknown.
type Suppression uint8

// Suppressions. Fresh: within the minutes in which one confirmation may go.
const (
	SuppressionUnknown Suppression = iota
	NotSuppressed
	FreshlySuppressed
	Suppressed
)

var suppressionNames = []string{"unknown", "no", "fresh", "yes"}

// Days is a number of whole days, plus one; its zero value is unknown.
type Days int32

// DaysOf makes a number of days; a negative one is 0.
func DaysOf(n int) Days { return Days(max(n, 0)) + 1 }

// DaysSince counts the whole days of 24 hours from t to now; a zero t is unknown.
func DaysSince(t, now time.Time) Days {
	if t.IsZero() {
		return 0
	}
	return DaysOf(int(now.Sub(t) / (24 * time.Hour)))
}

// List is a sorted set of codes without commas, joined by commas, so that it can
// be compared.
type List string

// ListOf makes a List; empty texts and repeats are dropped.
func ListOf(items ...string) List {
	s := make([]string, 0, len(items))
	for _, i := range items {
		if i = strings.ReplaceAll(i, ",", ";"); i != "" {
			s = append(s, i)
		}
	}
	slices.Sort(s)
	return List(strings.Join(slices.Compact(s), ","))
}

// Items gives the list's items.
func (l List) Items() []string {
	if l == "" {
		return []string{}
	}
	return strings.Split(string(l), ",")
}

// The encodings: names as JSON texts, days as a number or "unknown", a list as
// an array.

func (f Fact) String() string        { return name(factNames, int(f)) }
func (s Status) String() string      { return name(statusNames, int(s)) }
func (e Erasure) String() string     { return name(erasureNames, int(e)) }
func (a AgeBand) String() string     { return name(ageNames, int(a)) }
func (s SignalState) String() string { return name(signalNames, int(s)) }
func (s Suppression) String() string { return name(suppressionNames, int(s)) }

// MarshalJSON implements json.Marshaler.
func (f Fact) MarshalJSON() ([]byte, error) { return json.Marshal(f.String()) }

// MarshalJSON implements json.Marshaler.
func (s Status) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalJSON implements json.Marshaler.
func (e Erasure) MarshalJSON() ([]byte, error) { return json.Marshal(e.String()) }

// MarshalJSON implements json.Marshaler.
func (a AgeBand) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// MarshalJSON implements json.Marshaler.
func (s SignalState) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalJSON implements json.Marshaler.
func (s Suppression) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *SignalState) UnmarshalJSON(b []byte) error { return parse((*uint8)(s), signalNames, b) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Suppression) UnmarshalJSON(b []byte) error { return parse((*uint8)(s), suppressionNames, b) }

// MarshalJSON implements json.Marshaler.
func (l List) MarshalJSON() ([]byte, error) { return json.Marshal(l.Items()) }

// MarshalJSON implements json.Marshaler.
func (d Days) MarshalJSON() ([]byte, error) {
	if d == 0 {
		return []byte(`"unknown"`), nil
	}
	return strconv.AppendInt(nil, int64(d)-1, 10), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *Fact) UnmarshalJSON(b []byte) error { return parse((*uint8)(f), factNames, b) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Status) UnmarshalJSON(b []byte) error { return parse((*uint8)(s), statusNames, b) }

// UnmarshalJSON implements json.Unmarshaler.
func (e *Erasure) UnmarshalJSON(b []byte) error { return parse((*uint8)(e), erasureNames, b) }

// UnmarshalJSON implements json.Unmarshaler.
func (a *AgeBand) UnmarshalJSON(b []byte) error { return parse((*uint8)(a), ageNames, b) }

// UnmarshalJSON implements json.Unmarshaler.
func (l *List) UnmarshalJSON(b []byte) error {
	var items []string
	if err := json.Unmarshal(b, &items); err != nil {
		return err
	}
	*l = ListOf(items...)
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Days) UnmarshalJSON(b []byte) error {
	if string(b) == `"unknown"` {
		*d = 0
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 31)
	if err != nil || n < 0 {
		return weir.Errorf(weir.Invalid, "%s is not a number of days", b)
	}
	*d = DaysOf(int(n))
	return nil
}

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return names[0] // what is not known is unknown
}

func parse(to *uint8, names []string, b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	i := slices.Index(names, s)
	if i < 0 {
		return weir.Errorf(weir.Invalid, "%q is none of %s", s, strings.Join(names, ", "))
	}
	*to = uint8(i)
	return nil
}

// canonical encodes an input: fields in order, no spaces.
func (in Input) canonical() []byte {
	b, err := json.Marshal(in)
	if err != nil {
		panic(fmt.Sprintf("policies: an input of plain fields did not encode: %v", err))
	}
	return b
}
