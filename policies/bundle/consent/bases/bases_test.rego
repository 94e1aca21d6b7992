package consent.bases_test

import data.consent.bases
import data.consent.example

test_consent if bases.granted == {"consent"} with input as example.good

test_consent_holds_until_it_is_too_old if {
	bases.holds == {"consent.age_days": example.limit, "subject.inactive_days": example.silence} with input as example.good
	bases.holds == {} with input as example.asking("service.transactional")
}

# Only what a decision rests on can end it.
test_what_it_does_not_rest_on_has_no_end[name] if {
	some name, x in {
		"no consent": {
			"input": example.changed("consent", {"status": "none"}),
			"ends": {"subject.inactive_days"},
		},
		"contact unknown": {
			"input": example.changed("subject", {"inactive_days": "unknown"}),
			"ends": {"consent.age_days"},
		},
		"no limit there": {
			"input": example.living(["US-CA"], ["us-ca"], {}),
			"ends": {"consent.age_days"},
		},
	}
	object.keys(bases.holds) == x.ends with input as x.input
}

# No basis without each of its conditions.
test_no_consent[name] if {
	some name, fields in {
		"none": {"status": "none"},
		"denied": {"status": "denied"},
		"withdrawn": {"status": "withdrawn"},
		"expired": {"status": "expired"},
		"unknown": {"status": "unknown"},
		"no proof": {"proof": "no"},
		"proof unknown": {"proof": "unknown"},
		"too old": {"age_days": example.limit + 1},
		"age unknown": {"age_days": "unknown"},
	}
	bases.granted == set() with input as example.changed("consent", fields)
}

test_consent_on_its_last_day if bases.granted == {"consent"} with input as example.changed("consent", {"age_days": example.limit})

test_consent_without_a_limit if bases.granted == set() with input as example.good with data.retention as {}

test_consent_where_the_purpose_has_another_basis if {
	bases.granted == set() with input as example.asking("marketing.ads")
		with data.purposes as {"marketing.ads": {"kind": "marketing", "bases": []}}
}

test_contract if bases.granted == {"contract"} with input as example.asking("service.transactional")

test_contract_is_for_transactions_only if {
	bases.granted == set() with input as example.asking("p")
		with data.purposes as {"p": {"kind": "marketing", "bases": ["contract"]}}
	bases.granted == set() with input as example.asking("p")
		with data.purposes as {"p": {"kind": "transactional", "bases": []}}
}

test_legal_obligation if bases.granted == {"legal_obligation"} with input as example.asking("service.security")

test_legal_obligation_is_for_security_only if {
	bases.granted == set() with input as example.asking("p")
		with data.purposes as {"p": {"kind": "marketing", "bases": ["legal_obligation"]}}
	bases.granted == set() with input as example.asking("p")
		with data.purposes as {"p": {"kind": "security", "bases": []}}
}

test_legal_obligation_of_a_confirmation_is_no_other_s if {
	bases.granted == set() with input as object.union(example.asking("p"), {"subject": {"suppressed": "fresh"}})
		with data.purposes as {"p": {"kind": "marketing", "bases": ["legal_obligation"]}}
}

test_unknown_purpose if bases.granted == set() with input as example.asking("marketing")
