package consent.deny_test

import data.consent.deny
import data.consent.example

child := example.living(["DE"], ["eu"], {"subject": {"age_band": "age_15"}})

test_child_denied[case] if {
	some case, parts in {
		"too young": {},
		"younger": {"subject": {"age_band": "under_13"}},
		"no consent": {"consent": {"status": "none", "guardian": "yes"}},
		"unknown and for minors": {"subject": {"age_band": "unknown"}, "controller": {"minors": "yes"}},
		"unknown and perhaps for minors": {"subject": {"age_band": "unknown"}, "controller": {"minors": "unknown"}},
	}
	{"code": "D10"} in deny.reasons with input as object.union(child, parts)
}

test_child_untouched[case] if {
	some case, parts in {
		"old enough": {"subject": {"age_band": "age_16"}},
		"guardian": {"consent": {"guardian": "yes"}},
		"old enough in France": {"subject": {"jurisdictions": ["FR"]}},
		"owed": {"activation": {"purpose": "service.transactional"}},
		"unknown": {"subject": {"age_band": "unknown"}},
	}
	count({1 | {"code": "D10"} in deny.reasons}) == 0 with input as object.union(child, parts)
}
