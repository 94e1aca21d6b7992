package consent.bases_test

import data.consent.bases
import data.consent.example

import future.keywords.not

agreed := object.union(example.good, {"consent": {"explicit": "yes", "guardian": "yes"}})

test_agreed if {
	bases.express with input as agreed
	bases.by_guardian with input as agreed
}

test_not_agreed[case] if {
	some case, parts in {
		"not said": {"explicit": "no", "guardian": "no"},
		"unknown": {"explicit": "unknown", "guardian": "unknown"},
		"withdrawn": {"status": "withdrawn"},
		"too old": {"age_days": example.limit + 1},
		"no proof": {"proof": "no"},
	}
	not bases.express with input as object.union(agreed, {"consent": parts})
	not bases.by_guardian with input as object.union(agreed, {"consent": parts})
}

test_confirmation if {
	bases.granted == {"legal_obligation"} with input as object.union(
		example.asking("service.optout_confirmation"),
		{"subject": {"suppressed": "fresh"}},
	)
}

test_confirmation_of_what[value] if {
	some value in ["no", "yes", "unknown"]
	bases.granted == set() with input as object.union(
		example.asking("service.optout_confirmation"),
		{"subject": {"suppressed": value}},
	)
}
