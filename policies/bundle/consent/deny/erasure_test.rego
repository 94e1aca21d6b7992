package consent.deny_test

import data.consent.deny
import data.consent.example

test_nothing_known_against_it if deny.reasons == set() with input as example.changed("subject", {"erasure": "none"})

test_erasure[value] if {
	some value in ["requested", "done", "unknown"]
	deny.reasons == {{"code": "D04"}} with input as example.changed("subject", {"erasure": value})
}

test_erasure_and_contract if {
	deny.reasons == {{"code": "D04"}} with input as object.union(
		example.asking("service.transactional"),
		{"subject": {"erasure": "unknown"}},
	)
}

test_erasure_and_legal_obligation if {
	deny.reasons == set() with input as object.union(
		example.asking("service.security"),
		{"subject": {"erasure": "unknown"}},
	)
}
