package consent.deny_test

import data.consent.deny
import data.consent.example

silent := object.union(example.good, {"subject": {"inactive_days": example.silence + 1}})

test_silent_denied[case] if {
	some case, parts in {
		"too long": {},
		"Brazil": {"subject": {"regimes": ["br"]}},
		"unknown, no consent": {"subject": {"inactive_days": "unknown"}, "consent": {"status": "none"}},
	}
	{"code": "D20"} in deny.reasons with input as object.union(silent, parts)
}

test_silent_untouched[case] if {
	some case, parts in {
		"last day": {"subject": {"inactive_days": example.silence}},
		"no limit there": {"subject": {"regimes": ["us-ca"]}},
		"unknown, consent": {"subject": {"inactive_days": "unknown"}},
		"owed": {"activation": {"purpose": "service.transactional"}},
	}
	count({1 | {"code": "D20"} in deny.reasons}) == 0 with input as object.union(silent, parts)
}
