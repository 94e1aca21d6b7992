package consent.deny_test

import data.consent.deny
import data.consent.example

test_no_proof[value] if {
	some value in ["no", "unknown"]
	deny.reasons == {{"code": "D08"}} with input as example.changed("consent", {"proof": value})
}

test_no_proof_of_nothing if deny.reasons == set() with input as example.changed("consent", {"proof": "no", "status": "none"})

test_no_proof_beside_another_basis if {
	deny.reasons == set() with input as example.with_all({
		"activation": {"purpose": "marketing.own_similar"},
		"consent": {"proof": "no"},
		"destination": {"purposes": ["marketing.own_similar"]},
		"subject": {"customer": "yes", "opt_out_offered": "yes"},
	})
}

test_no_proof_where_consent_is_no_basis if {
	count({1 | {"code": "D08"} in deny.reasons}) == 0 with input as object.union(
		example.asking("service.optout_confirmation"),
		{"consent": {"proof": "no"}},
	)
}

test_no_proof_does_not_matter_to_a_contract if {
	deny.reasons == set() with input as object.union(
		example.asking("service.transactional"),
		{"consent": {"proof": "no"}},
	)
}
