package consent.deny_test

import data.consent.deny
import data.consent.example

sensitive_sale := example.living(["US-MD"], ["us-md"], {"activation": {"categories": ["health"]}, "consent": {"explicit": "yes"}, "destination": {"transfer": "sale"}})

test_sensitive_sale_denied[case] if {
	some case, parts in {
		"sold": {},
		"shared": {"destination": {"transfer": "share"}},
		"unknown": {"destination": {"transfer": "unknown"}},
		"of a kind that shares": {"destination": {"transfer": "none", "kind": "ads_match"}},
	}
	{"code": "D17"} in deny.reasons with input as object.union(sensitive_sale, parts)
}

test_sensitive_sale_untouched[case] if {
	some case, parts in {
		"not shared": {"destination": {"transfer": "none"}},
		"nothing sensitive": {"activation": {"categories": []}},
		"elsewhere": {"subject": {"regimes": ["us-va"]}},
	}
	count({1 | {"code": "D17"} in deny.reasons}) == 0 with input as object.union(sensitive_sale, parts)
}
