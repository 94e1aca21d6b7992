package consent.deny_test

import data.consent.deny
import data.consent.example

teenager := example.living(["US-CA"], ["us-ca"], object.union(example.ads, {"subject": {"age_band": "age_15"}}))

test_teenager_denied[case] if {
	some case, parts in {
		"no opt-in": {},
		"none at all": {"consent": {"status": "none", "explicit": "yes"}},
	}
	{"code": "D13"} in deny.reasons with input as object.union(teenager, parts)
}

test_teenager_untouched[case] if {
	some case, parts in {
		"opted in": {"consent": {"explicit": "yes"}},
		"old enough": {"subject": {"age_band": "age_16"}},
		"no law": {"subject": {"regimes": ["us-ut"]}},
		"no advertising": {"activation": {"purpose": "marketing.newsletter"}, "destination": {"transfer": "none"}},
	}
	count({1 | {"code": "D13"} in deny.reasons}) == 0 with input as object.union(teenager, parts)
}
