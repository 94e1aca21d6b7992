package consent.deny_test

import data.consent.deny
import data.consent.example

abroad := object.union(example.good, {"destination": {"country": "IN", "mechanism": "none"}})

test_abroad_denied[case] if {
	some case, parts in {
		"no mechanism": {},
		"adequacy that is none": {"destination": {"mechanism": "adequacy"}},
		"another country's": {"destination": {"mechanism": "dpf"}},
		"unknown country": {"destination": {"country": "unknown", "mechanism": "scc"}},
		"unknown mechanism": {"destination": {"mechanism": "unknown"}},
		"one of two": {"subject": {"regimes": ["eu", "us-ca"]}},
	}
	{"code": "D21"} in deny.reasons with input as object.union(abroad, parts)
}

test_abroad_untouched[case] if {
	some case, parts in {
		"clauses": {"destination": {"mechanism": "scc"}},
		"framework": {"destination": {"country": "US", "mechanism": "dpf"}},
		"at home": {"destination": {"country": "DE"}},
		"adequate": {"destination": {"country": "CH"}},
		"no law": {"subject": {"regimes": ["us-ca"]}},
	}
	count({1 | {"code": "D21"} in deny.reasons}) == 0 with input as object.union(abroad, parts)
}
