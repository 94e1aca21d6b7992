package consent.deny_test

import data.consent.deny
import data.consent.example

test_withdrawn[status] if {
	some status in ["withdrawn", "denied"]
	deny.reasons == {{"code": "D06"}} with input as example.changed("consent", {"status": status})
}

test_withdrawn_does_not_matter_to_a_contract if {
	deny.reasons == set() with input as object.union(
		example.asking("service.transactional"),
		{"consent": {"status": "withdrawn"}},
	)
}
