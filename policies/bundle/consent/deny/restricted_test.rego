package consent.deny_test

import data.consent.deny
import data.consent.example

test_nothing_known_against_it if deny.reasons == set() with input as example.changed("subject", {"restricted": "no"})

test_restricted[value] if {
	some value in ["yes", "unknown"]
	deny.reasons == {{"code": "D03"}} with input as example.changed("subject", {"restricted": value})
}

test_restricted_and_contract if {
	deny.reasons == {{"code": "D03"}} with input as object.union(
		example.asking("service.transactional"),
		{"subject": {"restricted": "unknown"}},
	)
}

test_restricted_and_legal_obligation if {
	deny.reasons == set() with input as object.union(
		example.asking("service.security"),
		{"subject": {"restricted": "unknown"}},
	)
}
