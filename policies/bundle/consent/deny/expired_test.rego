package consent.deny_test

import data.consent.deny
import data.consent.example

test_expired[name] if {
	some name, fields in {
		"own end": {"status": "expired"},
		"too old": {"age_days": example.limit + 1},
		"age unknown": {"age_days": "unknown"},
	}
	deny.reasons == {{"code": "D07"}} with input as example.changed("consent", fields)
}

test_expired_beside_another_basis if {
	deny.reasons == set() with input as example.with_all({
		"activation": {"purpose": "marketing.own_similar"},
		"consent": {"status": "expired"},
		"destination": {"purposes": ["marketing.own_similar"]},
		"subject": {"customer": "yes", "opt_out_offered": "yes"},
	})
}

test_last_day if deny.reasons == set() with input as example.changed("consent", {"age_days": example.limit})

test_no_limit_is_no_licence if deny.reasons == {{"code": "D07"}} with input as example.good with data.retention as {}

test_expired_does_not_matter_to_a_contract if {
	deny.reasons == set() with input as object.union(
		example.asking("service.transactional"),
		{"consent": {"status": "expired"}},
	)
}
