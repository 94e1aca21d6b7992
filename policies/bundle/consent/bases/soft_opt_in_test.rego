package consent.bases_test

import data.consent.bases
import data.consent.example

import future.keywords.not

customer := object.union(example.asking("marketing.own_similar"), {"consent": {"status": "none"}, "subject": {"customer": "yes", "opt_out_offered": "yes"}})

test_customer if "soft_opt_in" in bases.granted with input as customer

test_customer_needs[case] if {
	some case, parts in {
		"no customer": {"subject": {"customer": "no"}},
		"customer unknown": {"subject": {"customer": "unknown"}},
		"not offered": {"subject": {"opt_out_offered": "no"}},
		"post": {"activation": {"channel": "post"}},
		"another purpose": {"activation": {"purpose": "marketing.newsletter"}},
		"one law does not know it": {"subject": {"regimes": ["br", "eu"]}},
		"withdrawn": {"consent": {"status": "withdrawn"}},
		"denied": {"consent": {"status": "denied"}},
		"consent unknown": {"consent": {"status": "unknown"}},
		"no place": {"subject": {"regimes": []}},
	}
	not "soft_opt_in" in bases.granted with input as object.union(customer, parts)
}
