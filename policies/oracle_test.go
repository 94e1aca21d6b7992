package policies

import (
	"slices"
	"strings"
)

// law is what the oracle knows of a place; written from the table of rules, not
// from the policy's data files.
type law struct {
	optOut, gdpr                bool // choice; GDPR, UK GDPR or LGPD
	child                       int  // a guardian consents below
	soft, charity, device       bool
	sensitive                   string
	neverSold, deaf             bool // Maryland's ban; does not ask to honour signals
	minorOptIn, minorBan        int  // up to these ages
	free, adequate, any, dpfFor string
}

var laws = map[string]law{
	"FR":    {gdpr: true, child: 15, soft: true, device: true, sensitive: "explicit", free: "FR DE", adequate: "GB CH", any: "scc bcr", dpfFor: "US"},
	"DE":    {gdpr: true, child: 16, soft: true, device: true, sensitive: "explicit", free: "FR DE", adequate: "GB CH", any: "scc bcr", dpfFor: "US"},
	"GB":    {gdpr: true, child: 13, soft: true, charity: true, device: true, sensitive: "explicit", free: "GB", adequate: "FR DE CH", any: "idta uk_addendum bcr", dpfFor: "US"},
	"BR":    {gdpr: true, child: 13, sensitive: "explicit", free: "BR", any: "scc bcr"},
	"US":    {optOut: true, child: 13, sensitive: "opt_in", neverSold: true, minorBan: 17},
	"US-CA": {optOut: true, child: 13, sensitive: "limit", minorOptIn: 15},
	"US-UT": {optOut: true, child: 13, sensitive: "opt_out", deaf: true},
	"US-VA": {optOut: true, child: 13, sensitive: "opt_in", deaf: true, minorOptIn: 12},
	"US-MD": {optOut: true, child: 13, sensitive: "opt_in", neverSold: true, minorBan: 17},
	"US-NJ": {optOut: true, child: 13, sensitive: "opt_in", minorOptIn: 16},
	"US-OR": {optOut: true, child: 13, sensitive: "opt_in", minorBan: 15},
}

// someLaw says whether any of the places' laws has a property, everyLaw whether
// all have and there is one.
func someLaw(in Input, has func(law) bool) bool {
	return slices.ContainsFunc(in.Subject.Jurisdictions.Items(), func(j string) bool { l, known := laws[j]; return known && has(l) })
}

func everyLaw(in Input, has func(law) bool) bool {
	places := in.Subject.Jurisdictions.Items()
	return len(places) > 0 && !slices.ContainsFunc(places, func(j string) bool { l, known := laws[j]; return !known || !has(l) })
}

func hasWord(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

// years is how old a person counts as.
func (in Input) years() int {
	switch {
	case in.Subject.AgeBand == AgeUnknown && in.Controller.Minors == No:
		return 18
	case in.Subject.AgeBand == AgeUnknown:
		return 0
	}
	return int(in.Subject.AgeBand-AgeUnder13) + 12
}

// oracle is the default rules once more, in Go.
func oracle(in Input) (allow bool, reasons []string) {
	listed := map[string]string{"service.transactional": "contract", "service.security": "legal_obligation", "service.optout_confirmation": "legal_obligation",
		"marketing.newsletter": "consent", "marketing.own_similar": "consent soft_opt_in", "marketing.ads": "consent notice_opt_out",
		"analytics.profile": "consent notice_opt_out", "fundraising": "consent soft_opt_in_charity", "reoptin_prompt": "consent notice_opt_out"}
	add := func(when bool, code string) {
		if when {
			reasons = append(reasons, code)
		}
	}
	purpose, s, c, d, channel := in.Activation.Purpose, in.Subject, in.Consent, in.Destination, in.Activation.Channel
	may := func(basis string) bool { return hasWord(listed[purpose], basis) }
	confirms := purpose == "service.optout_confirmation"
	contract, security := purpose == "service.transactional", purpose == "service.security"
	owed := contract || security || confirms

	// What allows.
	valid := c.Status == StatusGranted && c.Proof == Yes && c.AgeDays != 0 && c.AgeDays <= DaysOf(730)
	consent := may("consent") && valid
	express := consent && c.Explicit == Yes
	open := c.Status == StatusNone || c.Status == StatusGranted || c.Status == StatusExpired
	mailed := channel == "email" || channel == "sms"
	offered := s.Customer == Yes && s.OptOutOffered == Yes
	notice := may("notice_opt_out") && everyLaw(in, func(l law) bool { return l.optOut }) && open &&
		!hasWord("sms phone whatsapp push unknown", channel)
	soft := may("soft_opt_in") && offered && mailed && open && everyLaw(in, func(l law) bool { return l.soft })
	charity := may("soft_opt_in_charity") && in.Controller.Charity == Yes && offered && mailed && open && everyLaw(in, func(l law) bool { return l.charity })
	positive := contract || security || (confirms && s.Suppressed == FreshlySuppressed) || consent || notice || soft || charity

	// What forbids.
	shared := d.Transfer != "none" || d.Kind == "ads_match" || d.Kind == "customer_match"
	ads := shared || purpose == "marketing.ads"
	special, sensitive := false, false
	for _, category := range in.Activation.Categories.Items() {
		sensitive = true
		special = special || category != "precise_geo"
	}
	places := s.Jurisdictions.Items()
	add(len(places) == 0 || slices.Contains(places, "unknown") || slices.Contains(places, "XX"), "D01")
	add(!security && s.Restricted != No, "D03")
	add(!security && s.Erasure != ErasureNone, "D04")
	add(!owed && s.Objected != No, "D05")
	add(may("consent") && (c.Status == StatusWithdrawn || c.Status == StatusDenied), "D06")
	tooOld := c.AgeDays == 0 || c.AgeDays > DaysOf(730)
	add(may("consent") && !positive && (c.Status == StatusExpired || (c.Status == StatusGranted && tooOld)), "D07")
	add(may("consent") && !positive && c.Status == StatusGranted && c.Proof != Yes, "D08")
	add(special && !security && !express && someLaw(in, func(l law) bool { return l.sensitive == "explicit" }), "D09")
	add(!owed && !(consent && c.Guardian == Yes) && someLaw(in, func(l law) bool { return in.years() < l.child }), "D10")
	add(shared && s.OptedOut != No, "D11")
	add(shared && s.GPC != No && slices.ContainsFunc(places, func(j string) bool { return !laws[j].deaf }), "D12")
	add(ads && !express && someLaw(in, func(l law) bool { return l.minorOptIn > 0 && in.years() <= l.minorOptIn }), "D13")
	add(ads && someLaw(in, func(l law) bool { return l.minorBan > 0 && in.years() <= l.minorBan }), "D14")
	add(sensitive && !owed && s.LimitSensitive != No && someLaw(in, func(l law) bool { return l.sensitive == "limit" || l.sensitive == "opt_out" }), "D15")
	add(sensitive && !owed && !express && someLaw(in, func(l law) bool { return l.sensitive == "opt_in" }), "D16")
	add(sensitive && shared && someLaw(in, func(l law) bool { return l.neverSold }), "D17")
	add(ads && s.OptedOutAds != No, "D18")
	effect := in.Activation.Effect != "none"
	add(((effect || purpose == "analytics.profile") && s.OptedOutProfiling != No) ||
		(effect && !(in.Activation.HumanReview == Yes && (express || contract || security || (confirms && s.Suppressed == FreshlySuppressed)))), "D19")
	silent := s.InactiveDays > DaysOf(1095) || (s.InactiveDays == 0 && !consent)
	add(listed[purpose] != "" && !owed && silent && someLaw(in, func(l law) bool { return l.gdpr }), "D20")
	add(someLaw(in, func(l law) bool {
		return l.gdpr && !hasWord(l.free, d.Country) && !hasWord(l.adequate, d.Country) && (d.Country == "unknown" || !hasWord(l.any, d.Mechanism)) &&
			!(d.Mechanism == "dpf" && d.Country == l.dpfFor)
	}), "D21")
	add(!hasWord("controller joint_controller third_party", d.Role) && d.DPA != Yes, "D22")
	add(!slices.Contains(d.Purposes.Items(), purpose), "D23")
	add(!security && s.Suppressed != NotSuppressed && !(confirms && s.Suppressed == FreshlySuppressed), "D24")
	softly := (may("soft_opt_in") && someLaw(in, func(l law) bool { return l.soft })) ||
		(may("soft_opt_in_charity") && in.Controller.Charity == Yes && someLaw(in, func(l law) bool { return l.charity }))
	add(softly && s.Customer == Yes && s.OptOutOffered != Yes && !positive, "D25")
	add(purpose == "reoptin_prompt" && s.OptedOut != No && s.OptedOutDays < DaysOf(365), "D26")
	european := someLaw(in, func(l law) bool { return l.device })
	add(european && !owed && d.TCF != No && c.TCF != SignalGranted, "D27")
	add(european && !owed && d.Google != No && c.Google != SignalGranted, "D28")
	add(european && !owed && in.Activation.Device != No && c.DeviceStorage != Yes, "D29")
	add(listed[purpose] == "", "unknown_purpose")
	add(len(reasons) == 0 && !positive, "no_basis")
	slices.Sort(reasons)
	return len(reasons) == 0, reasons
}
