package policies

// restrictions are all ways in which a fact can get worse: the person said no, less is
// known, or what is asked reaches further. That one more law applies is in worse.
var restrictions = map[string]func(*Input){
	"restricted":         func(in *Input) { in.Subject.Restricted = Yes },
	"restricted unknown": func(in *Input) { in.Subject.Restricted = Unknown },
	"objected":           func(in *Input) { in.Subject.Objected = Yes },
	"objected unknown":   func(in *Input) { in.Subject.Objected = Unknown },
	"erasure":            func(in *Input) { in.Subject.Erasure = ErasureRequested },
	"erased":             func(in *Input) { in.Subject.Erasure = ErasureDone },
	"erasure unknown":    func(in *Input) { in.Subject.Erasure = ErasureUnknown },
	"opted out":          func(in *Input) { in.Subject.OptedOut = Yes },
	"opted out unknown":  func(in *Input) { in.Subject.OptedOut = Unknown },
	"gpc":                func(in *Input) { in.Subject.GPC = Yes },
	"gpc unknown":        func(in *Input) { in.Subject.GPC = Unknown },
	"shared":             func(in *Input) { in.Destination.Transfer = "share" },
	"sold":               func(in *Input) { in.Destination.Transfer = "sale" },
	"transfer unknown":   func(in *Input) { in.Destination.Transfer = "unknown" },
	"withdrawn":          func(in *Input) { in.Consent.Status = StatusWithdrawn },
	"denied":             func(in *Input) { in.Consent.Status = StatusDenied },
	"expired":            agreed(StatusExpired),
	"never":              agreed(StatusNone),
	"status unknown":     func(in *Input) { in.Consent.Status = StatusUnknown },
	"no proof":           func(in *Input) { in.Consent.Proof = No },
	"not explicit":       func(in *Input) { in.Consent.Explicit = No },
	"older": func(in *Input) {
		if in.Consent.AgeDays != 0 { // else an unknown age becomes a known one
			in.Consent.AgeDays += 1000
		}
	},
	"age unknown":   func(in *Input) { in.Consent.AgeDays = 0 },
	"place unknown": func(in *Input) { in.Subject.Jurisdictions = "unknown" },
	"another place": func(in *Input) { in.Subject.Jurisdictions = ListOf(append(in.Subject.Jurisdictions.Items(), "XX")...) },
	"another category": func(in *Input) {
		in.Activation.Categories = ListOf(append(in.Activation.Categories.Items(), "ethnicity")...)
	},
	"limited":              func(in *Input) { in.Subject.LimitSensitive = Yes },
	"limited unknown":      func(in *Input) { in.Subject.LimitSensitive = Unknown },
	"no ads":               func(in *Input) { in.Subject.OptedOutAds = Yes },
	"no ads unknown":       func(in *Input) { in.Subject.OptedOutAds = Unknown },
	"no profiling":         func(in *Input) { in.Subject.OptedOutProfiling = Yes },
	"no profiling unknown": func(in *Input) { in.Subject.OptedOutProfiling = Unknown },
	"suppressed":           func(in *Input) { in.Subject.Suppressed = Suppressed },
	"suppression unknown":  func(in *Input) { in.Subject.Suppressed = SuppressionUnknown },
	"suppressed elsewhere": func(in *Input) { in.Subject.SuppressedElsewhere = Yes },
	"opted out lately":     func(in *Input) { in.Subject.OptedOutDays = min(in.Subject.OptedOutDays, DaysOf(1)) },
	"silent":               func(in *Input) { in.Subject.InactiveDays = DaysOf(5000) },
	"no customer":          func(in *Input) { in.Subject.Customer = No },
	"customer unknown":     func(in *Input) { in.Subject.Customer = Unknown },
	"no opt-out offered":   func(in *Input) { in.Subject.OptOutOffered = No },
	"a child":              func(in *Input) { in.Subject.AgeBand = AgeUnder13 },
	"younger":              func(in *Input) { in.Subject.AgeBand = min(in.Subject.AgeBand, Age15) },
	"for minors":           func(in *Input) { in.Controller.Minors = Yes },
	"perhaps for minors":   func(in *Input) { in.Controller.Minors = Unknown },
	"no charity":           func(in *Input) { in.Controller.Charity = No },
	"no guardian":          func(in *Input) { in.Consent.Guardian = No },
	"no contract":          func(in *Input) { in.Destination.DPA = No },
	"abroad": func(in *Input) {
		if in.Destination.Country != "unknown" { // which counts as worse
			in.Destination.Country = "IN"
		}
	},
	"somewhere":            func(in *Input) { in.Destination.Country = "unknown" },
	"no mechanism":         func(in *Input) { in.Destination.Mechanism = "none" },
	"matched for ads":      func(in *Input) { in.Destination.Kind = "ads_match" },
	"significant":          func(in *Input) { in.Activation.Effect = "significant" },
	"not reviewed":         func(in *Input) { in.Activation.HumanReview = No },
	"from a device":        func(in *Input) { in.Activation.Device = Yes },
	"device not consented": func(in *Input) { in.Consent.DeviceStorage = No },
	"a vendor":             func(in *Input) { in.Destination.TCF = Yes },
	"no TC string":         func(in *Input) { in.Consent.TCF = SignalMissing },
	"Google":               func(in *Input) { in.Destination.Google = Yes },
	"Google not granted":   func(in *Input) { in.Consent.Google = SignalDenied },
	"purpose not covered":  func(in *Input) { in.Destination.Purposes = "" },
}

// also puts a person who lives somewhere under one law more.
func also(place string) func(*Input) {
	return func(in *Input) {
		if in.Subject.Jurisdictions != "" { // else an unknown place becomes a known one
			in.Subject.Jurisdictions = ListOf(append(in.Subject.Jurisdictions.Items(), place)...)
		}
	}
}

// agreed takes a yes away; whoever refused is not made somebody who was never asked.
func agreed(to Status) func(*Input) {
	return func(in *Input) {
		if in.Consent.Status == StatusGranted {
			in.Consent.Status = to
		}
	}
}
