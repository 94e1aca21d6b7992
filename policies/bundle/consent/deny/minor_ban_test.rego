package consent.deny_test

import data.consent.deny
import data.consent.example

minor := example.living(["US-MD"], ["us-md"], object.union(example.ads, {"subject": {"age_band": "age_17"}}))

test_minor_denied[case] if {
	some case, parts in {
		"opted in": {"consent": {"explicit": "yes"}},
		"sold": {"destination": {"transfer": "sale"}},
		"no sale, but advertising": {"destination": {"transfer": "none"}},
	}
	{"code": "D14"} in deny.reasons with input as object.union(minor, parts)
}

test_minor_untouched[case] if {
	some case, parts in {
		"grown up": {"subject": {"age_band": "adult"}},
		"elsewhere": {"subject": {"regimes": ["us-va"]}},
		"no advertising": {"activation": {"purpose": "marketing.newsletter"}, "destination": {"transfer": "none"}},
	}
	count({1 | {"code": "D14"} in deny.reasons}) == 0 with input as object.union(minor, parts)
}
