package consent.deny_test

import data.consent.deny
import data.consent.example

test_nothing_known_against_it if deny.reasons == set() with input as example.changed("subject", {"objected": "no"})

test_objection[value] if {
	some value in ["yes", "unknown"]
	deny.reasons == {{"code": "D05"}} with input as example.changed("subject", {"objected": value})
}

test_objection_and_contract if {
	deny.reasons == set() with input as object.union(
		example.asking("service.transactional"),
		{"subject": {"objected": "unknown"}},
	)
}

test_objection_and_legal_obligation if {
	deny.reasons == set() with input as object.union(
		example.asking("service.security"),
		{"subject": {"objected": "unknown"}},
	)
}
