package consent.deny_test

import data.consent.deny
import data.consent.example

limited := example.living(["US-CA"], ["us-ca"], {"activation": {"categories": ["precise_geo"]}, "subject": {"limit_sensitive": "yes"}})

test_limited_denied[case] if {
	some case, parts in {
		"asked": {},
		"unknown": {"subject": {"limit_sensitive": "unknown"}},
		"Utah": {"subject": {"regimes": ["us-ut"]}},
		"unlisted category": {"activation": {"categories": ["shoe_size"]}},
	}
	{"code": "D15"} in deny.reasons with input as object.union(limited, parts)
}

test_limited_untouched[case] if {
	some case, parts in {
		"not asked": {"subject": {"limit_sensitive": "no"}},
		"nothing sensitive": {"activation": {"categories": []}},
		"owed": {"activation": {"purpose": "service.transactional"}},
		"elsewhere": {"subject": {"regimes": ["eu"]}},
	}
	count({1 | {"code": "D15"} in deny.reasons}) == 0 with input as object.union(limited, parts)
}
