package consent.deny_test

import data.consent.deny
import data.consent.example

google := object.union(example.good, {"destination": {"google": "yes"}, "consent": {"google": "unknown"}})

test_google_denied[case] if {
	some case, parts in {
		"unknown": {},
		"no": {"consent": {"google": "denied"}},
		"perhaps asked": {"destination": {"google": "unknown"}},
		"United Kingdom": {"subject": {"regimes": ["uk"]}},
	}
	{"code": "D28"} in deny.reasons with input as object.union(google, parts)
}

test_google_untouched[case] if {
	some case, parts in {
		"granted": {"consent": {"google": "granted"}},
		"not asked": {"destination": {"google": "no"}},
		"no law": {"subject": {"regimes": ["us-ca"]}},
		"owed": {"activation": {"purpose": "service.transactional"}},
	}
	count({1 | {"code": "D28"} in deny.reasons}) == 0 with input as object.union(google, parts)
}
