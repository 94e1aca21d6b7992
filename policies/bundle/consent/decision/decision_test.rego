package consent.decision_test

import data.consent.decision
import data.consent.example

test_allowed_on_consent if {
	decision.result == {
		"allow": true,
		"basis": "consent",
		"reasons": set(),
		"obligations": set(),
		"valid_until": {"consent.age_days": example.limit, "subject.inactive_days": example.silence},
	} with input as example.good
}

test_denied_without_basis if {
	decision.result == {
		"allow": false,
		"basis": "",
		"reasons": {{"code": "no_basis"}},
		"obligations": set(),
		"valid_until": {},
	} with input as example.changed("consent", {"status": "none"})
}

test_a_reason_beats_a_basis if {
	decision.result == {
		"allow": false,
		"basis": "consent",
		"reasons": {{"code": "D03"}},
		"obligations": set(),
		"valid_until": {},
	} with input as example.changed("subject", {"restricted": "yes"})
}

test_nothing_is_a_denial if {
	decision.allow == false with input as {}
	decision.basis == "" with input as {}
}

test_preferred_basis_comes_first if {
	decision.basis == "contract" with input as example.asking("p")
		with data.purposes as {"p": {"kind": "transactional", "bases": ["contract", "consent"]}}
		with data.retention as {"p": {"consent_max_age_days": 730}}
	decision.basis == "consent" with input as example.asking("p")
		with data.purposes as {"p": {"kind": "transactional", "bases": ["consent", "contract"]}}
		with data.retention as {"p": {"consent_max_age_days": 730}}
}
