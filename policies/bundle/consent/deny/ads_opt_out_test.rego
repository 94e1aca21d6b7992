package consent.deny_test

import data.consent.deny
import data.consent.example

ads_opt_out := object.union(object.union(example.good, example.ads), {"subject": {"opted_out_ads": "yes"}})

test_ads_opt_out_denied[case] if {
	some case, parts in {
		"opted out": {},
		"unknown": {"subject": {"opted_out_ads": "unknown"}},
		"not shared": {"destination": {"transfer": "none"}},
	}
	{"code": "D18"} in deny.reasons with input as object.union(ads_opt_out, parts)
}

test_ads_opt_out_untouched[case] if {
	some case, parts in {
		"not opted out": {"subject": {"opted_out_ads": "no"}},
		"no advertising": {"activation": {"purpose": "marketing.newsletter"}, "destination": {"transfer": "none"}},
	}
	count({1 | {"code": "D18"} in deny.reasons}) == 0 with input as object.union(ads_opt_out, parts)
}
