package consent.bases_test

import data.consent.bases
import data.consent.example

import future.keywords.not

interest := object.union(example.asking("p"), {"activation": {"channel": "post"}, "consent": {"status": "none"}})

listed := {"p": {"kind": "marketing", "bases": ["legitimate_interest"], "assessment": "LIA-1"}}

test_interest if "legitimate_interest" in bases.granted with input as interest with data.purposes as listed

test_interest_needs[case] if {
	some case, parts in {
		"a channel": {"activation": {"channel": "unknown"}},
		"another channel": {"activation": {"channel": "email"}},
		"no withdrawal": {"consent": {"status": "withdrawn"}},
		"known consent": {"consent": {"status": "unknown"}},
		"a place": {"subject": {"regimes": []}},
		"every law": {"subject": {"regimes": ["eu", "us-ca"]}},
	}
	not "legitimate_interest" in bases.granted with input as object.union(interest, parts) with data.purposes as listed
}

test_interest_needs_an_assessment[case] if {
	some case, purpose in {
		"none": {"kind": "marketing", "bases": ["legitimate_interest"]},
		"empty": {"kind": "marketing", "bases": ["legitimate_interest"], "assessment": ""},
		"not listed": {"kind": "marketing", "bases": [], "assessment": "LIA-1"},
	}
	not "legitimate_interest" in bases.granted with input as interest with data.purposes as {"p": purpose}
}
