package consent.deny_test

import data.consent.deny
import data.consent.example

asked_again := object.union(example.asking("reoptin_prompt"), {"subject": {"opted_out": "yes", "opted_out_days": 364}})

test_asked_again_denied[case] if {
	some case, parts in {
		"too soon": {},
		"unknown day": {"subject": {"opted_out_days": "unknown"}},
		"perhaps": {"subject": {"opted_out": "unknown"}},
	}
	{"code": "D26"} in deny.reasons with input as object.union(asked_again, parts)
}

test_asked_again_untouched[case] if {
	some case, parts in {
		"waited": {"subject": {"opted_out_days": 365}},
		"never opted out": {"subject": {"opted_out": "no"}},
		"no prompt": {"activation": {"purpose": "marketing.newsletter"}},
	}
	count({1 | {"code": "D26"} in deny.reasons}) == 0 with input as object.union(asked_again, parts)
}
