package signals

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Kind is what a signal is.
type Kind string

// The kinds. Unreadable: it is none of them, or is damaged.
const (
	Unreadable Kind = ""
	TCF        Kind = "tcf"
	GPP        Kind = "gpp"
	USP        Kind = "usp"
	GPC        Kind = "gpc"
	Google     Kind = "google"
)

// Reading is what a signal says. Its zero value is unreadable.
type Reading struct {
	Kind Kind
	// What the person opted out of; GPC is the browser's own signal.
	OptedOut, OptedOutAds, LimitSensitive, GPC bool
	// TC is the TC string in it, nil if there is none.
	TC *TC
	// Google says whether ad_user_data and ad_personalization are both granted;
	// only of the kind Google.
	GoogleGranted bool
}

// maxSignal is longer than any signal is; TC strings with all vendors are 10 kB.
const maxSignal = 64 << 10

// Read decodes a signal. method is what the source calls it (tcf, gpp, usp, gpc,
// google); where it does not say, the text's form does.
func Read(method, raw string) (r Reading) {
	defer func() {
		if recover() != nil { // a decoder met what it did not expect
			r = Reading{}
		}
	}()
	raw = strings.TrimSpace(raw)
	if len(raw) > maxSignal {
		return Reading{}
	}
	switch kindOf(strings.ToLower(strings.TrimSpace(method)), raw) {
	case GPC:
		return readGPC(raw)
	case USP:
		return readUSP(raw)
	case TCF:
		return readTCF(raw)
	case GPP:
		return readGPP(raw)
	case Google:
		return readGoogle(raw)
	}
	return Reading{}
}

func kindOf(method, raw string) Kind {
	switch method {
	case "tcf", "tcf2", "tcfv2", "tcfeuv2", "iab_tcf", "tc_string":
		return TCF
	case "gpp", "iab_gpp":
		return GPP
	case "usp", "us_privacy", "usprivacy", "uspv1", "ccpa":
		return USP
	case "gpc", "sec-gpc", "global_privacy_control", "globalprivacycontrol":
		return GPC
	case "google", "google_consent_mode", "consent_mode", "gcd":
		return Google
	}
	switch {
	case strings.HasPrefix(raw, "{") || strings.HasPrefix(raw, "1") && len(raw) == 10:
		return Google
	case len(raw) == 4 && raw[0] == '1':
		return USP
	case strings.HasPrefix(raw, "DB"):
		return GPP
	case strings.HasPrefix(raw, "C") && len(raw) > 30:
		return TCF
	case raw == "" || len(raw) <= 5:
		return GPC
	}
	return Unreadable
}

// readGPC reads a Sec-GPC header or navigator.globalPrivacyControl. A signal
// without a text says that it was sent, which browsers only do to opt out.
func readGPC(raw string) Reading {
	switch strings.ToLower(raw) {
	case "", "1", "true", "yes":
		return Reading{Kind: GPC, GPC: true}
	case "0", "false", "no":
		return Reading{Kind: GPC}
	}
	return Reading{}
}

// readUSP reads a US Privacy string, version 1: notice, opt-out of sale, limited
// service provider agreement. Its opt-out is never unknown but in 1---, which
// says that the law does not apply.
func readUSP(raw string) Reading {
	if raw == "1---" {
		return Reading{Kind: USP}
	}
	if len(raw) != 4 || raw[0] != '1' || !strings.ContainsRune("YN-", rune(raw[1])) || !strings.ContainsRune("YN", rune(raw[2])) || !strings.ContainsRune("YN-", rune(raw[3])) {
		return Reading{}
	}
	return Reading{Kind: USP, OptedOut: raw[2] == 'Y'}
}

// readGoogle reads consent mode's state: gtag's object, or a gcd parameter
// (11<ad_storage>1<analytics_storage>1<ad_user_data>1<ad_personalization>5), of
// whose letters those that grant are r, t, n and v. A missing one is denied.
func readGoogle(raw string) Reading {
	if strings.HasPrefix(raw, "{") {
		var state map[string]any
		if json.Unmarshal([]byte(raw), &state) != nil {
			return Reading{}
		}
		return Reading{Kind: Google, GoogleGranted: state["ad_user_data"] == "granted" && state["ad_personalization"] == "granted"}
	}
	if len(raw) != 10 || raw[:2] != "11" || raw[3] != '1' || raw[5] != '1' || raw[7] != '1' {
		return Reading{}
	}
	granted := func(b byte) bool { return strings.IndexByte("rtnv", b) >= 0 }
	for _, b := range []byte{raw[2], raw[4], raw[6], raw[8]} {
		if strings.IndexByte("lmnpqrtuv", b) < 0 {
			return Reading{}
		}
	}
	return Reading{Kind: Google, GoogleGranted: granted(raw[6]) && granted(raw[8])}
}

// Expand makes of a signal the entries that it stands for: the opt-outs that it
// says, none if it says none. What can't be read stays a signal, which the fold
// takes for an opt-out. Other entries are given back as they are.
func Expand(e weir.Consent) []weir.Consent {
	if e.Action != weir.Signal {
		return []weir.Consent{e}
	}
	r := Read(e.Method, e.RawSignal)
	if r.Kind == Unreadable {
		return []weir.Consent{e}
	}
	var out []weir.Consent
	for _, says := range []struct {
		action weir.Action
		is     bool
	}{{weir.OptedOut, r.OptedOut}, {weir.OptedOutAds, r.OptedOutAds}, {weir.LimitSensitive, r.LimitSensitive}, {weir.Signal, r.GPC}} {
		if says.is {
			x := e
			x.Action, x.Purpose, x.Channel = says.action, "", ""
			out = append(out, x)
		}
	}
	return out
}

// disclosedSince is when a TC string without disclosed vendors ceased to be
// valid: TCF 2.3, strings of 1 March 2026 and later.
var disclosedSince = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
