package consent.deny_test

import data.consent.deny
import data.consent.example

tcf := object.union(example.good, {"destination": {"tcf": "yes"}, "consent": {"tcf": "unknown"}})

test_tcf_denied[case] if {
	some case, parts in {
		"unknown": {},
		"no": {"consent": {"tcf": "denied"}},
		"perhaps asked": {"destination": {"tcf": "unknown"}},
		"United Kingdom": {"subject": {"regimes": ["uk"]}},
	}
	{"code": "D27"} in deny.reasons with input as object.union(tcf, parts)
}

test_tcf_untouched[case] if {
	some case, parts in {
		"granted": {"consent": {"tcf": "granted"}},
		"not asked": {"destination": {"tcf": "no"}},
		"no law": {"subject": {"regimes": ["us-ca"]}},
		"owed": {"activation": {"purpose": "service.transactional"}},
	}
	count({1 | {"code": "D27"} in deny.reasons}) == 0 with input as object.union(tcf, parts)
}
