package consent.deny_test

import data.consent.deny
import data.consent.example

health := object.union(example.good, {"activation": {"categories": ["health"]}})

test_special_not_explicit[value] if {
	some value in ["no", "unknown"]
	deny.reasons == {{"code": "D09"}} with input as object.union(health, {"consent": {"explicit": value}})
}

test_special_explicit if deny.reasons == set() with input as object.union(health, {"consent": {"explicit": "yes"}})

test_special_explicit_once if {
	deny.reasons == {{"code": "D09"}} with input as object.union(
		health,
		{"consent": {"explicit": "yes", "status": "none"}},
	)
}

test_special_legal_obligation if {
	deny.reasons == set() with input as object.union(health, {"activation": {"purpose": "service.security"}})
}
