package signals

import (
	"strings"
	"time"

	"github.com/LiveRamp/iabconsent"
	"github.com/prebid/go-gdpr/consentconstants"
	"github.com/prebid/go-gdpr/vendorconsent"
	tcf2 "github.com/prebid/go-gdpr/vendorconsent/tcf2"
)

// TC is a decoded TC string of version 2.
type TC struct {
	core      tcf2.ConsentMetadata
	updated   time.Time
	disclosed func(vendor int) bool // nil without the segment
}

// Answer is what a signal says about one question.
type Answer string

// The answers. Unknown: the string is not valid.
const (
	Granted Answer = "granted"
	Denied  Answer = "denied"
	Unknown Answer = "unknown"
)

func readTCF(raw string) Reading {
	tc, ok := parseTC(raw)
	if !ok {
		return Reading{}
	}
	return Reading{Kind: TCF, TC: tc}
}

func parseTC(raw string) (*TC, bool) {
	segments := strings.Split(raw, ".")
	if !strings.HasPrefix(raw, "C") || len(segments) > 4 { // C is version 2
		return nil, false
	}
	parsed, err := vendorconsent.ParseString(raw)
	if err != nil || parsed.Version() != 2 {
		return nil, false
	}
	core, ok := parsed.(tcf2.ConsentMetadata)
	if !ok {
		return nil, false
	}
	tc := &TC{core: core, updated: core.LastUpdated()}
	if c := core.Created(); c.After(tc.updated) {
		tc.updated = c
	}
	if len(segments) == 1 {
		return tc, true
	}
	full, err := iabconsent.ParseV2(raw)
	if err != nil {
		return nil, false
	}
	if d := full.OOBDisclosedVendors; d != nil {
		tc.disclosed = func(vendor int) bool {
			if !d.IsRangeEncoding {
				return d.Vendors[vendor]
			}
			for _, r := range d.VendorEntries {
				if r.StartVendorID <= vendor && vendor <= r.EndVendorID {
					return true
				}
			}
			return false
		}
	}
	return tc, true
}

// Vendor says whether the person consented to a vendor's processing for all of
// these purposes of TCF. Only consent counts, never legitimate interest. A string
// without disclosed vendors that was made or renewed since March 2026 is not
// valid: Unknown.
func (tc *TC) Vendor(vendor int, purposes []int) Answer {
	switch {
	case tc.disclosed == nil && !tc.updated.Before(disclosedSince):
		return Unknown
	case vendor < 1 || vendor > 0xffff || len(purposes) == 0:
		return Unknown
	case tc.disclosed != nil && !tc.disclosed(vendor):
		return Denied
	case vendor > int(tc.core.MaxVendorID()) || !tc.core.VendorConsent(uint16(vendor)):
		return Denied
	}
	for _, p := range purposes {
		if p < 1 || p > 24 || !tc.core.PurposeAllowed(consentconstants.Purpose(p)) || //nolint:gosec // within the range that TCF has
			tc.core.CheckPubRestriction(uint8(p), 0, uint16(vendor)) { //nolint:gosec // 0: the publisher forbids it
			return Denied
		}
	}
	return Granted
}
