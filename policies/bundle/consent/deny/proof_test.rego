package consent.deny_test

import data.consent.deny
import data.consent.example

test_no_proof[value] if {
	some value in ["no", "unknown"]
	deny.reasons == {{"code": "D08"}} with input as example.changed("consent", {"proof": value})
}

test_no_proof_of_nothing if deny.reasons == set() with input as example.changed("consent", {"proof": "no", "status": "none"})

test_no_proof_does_not_matter_to_a_contract if {
	deny.reasons == set() with input as object.union(
		example.asking("service.transactional"),
		{"consent": {"proof": "no"}},
	)
}
