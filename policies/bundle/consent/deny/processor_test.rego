package consent.deny_test

import data.consent.deny
import data.consent.example

processor := object.union(example.good, {"destination": {"dpa": "no"}})

test_processor_denied[case] if {
	some case, parts in {
		"no contract": {},
		"unknown": {"destination": {"dpa": "unknown"}},
		"unknown role": {"destination": {"role": "unknown"}},
	}
	{"code": "D22"} in deny.reasons with input as object.union(processor, parts)
}

test_processor_untouched[case] if {
	some case, parts in {
		"contract": {"destination": {"dpa": "yes"}},
		"third party": {"destination": {"role": "third_party"}},
		"controller": {"destination": {"role": "controller"}},
	}
	count({1 | {"code": "D22"} in deny.reasons}) == 0 with input as object.union(processor, parts)
}
