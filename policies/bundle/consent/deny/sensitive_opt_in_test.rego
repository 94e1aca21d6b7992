package consent.deny_test

import data.consent.deny
import data.consent.example

sensitive := example.living(["US-VA"], ["us-va"], {"activation": {"categories": ["health"]}})

test_sensitive_denied[case] if {
	some case, parts in {
		"no opt-in": {},
		"not granted": {"consent": {"status": "none", "explicit": "yes"}},
	}
	{"code": "D16"} in deny.reasons with input as object.union(sensitive, parts)
}

test_sensitive_untouched[case] if {
	some case, parts in {
		"opted in": {"consent": {"explicit": "yes"}},
		"nothing sensitive": {"activation": {"categories": []}},
		"owed": {"activation": {"purpose": "service.transactional"}},
		"California": {"subject": {"regimes": ["us-ca"]}},
	}
	count({1 | {"code": "D16"} in deny.reasons}) == 0 with input as object.union(sensitive, parts)
}
