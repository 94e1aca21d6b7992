package consent.bases_test

import data.consent.bases
import data.consent.example

import future.keywords.not

supporter := object.union(example.asking("fundraising"), {"consent": {"status": "none"}, "controller": {"charity": "yes"}, "subject": {"customer": "yes", "opt_out_offered": "yes", "regimes": ["uk"]}})

test_supporter if "soft_opt_in_charity" in bases.granted with input as supporter

test_supporter_needs[case] if {
	some case, parts in {
		"no charity": {"controller": {"charity": "no"}},
		"perhaps": {"controller": {"charity": "unknown"}},
		"no supporter": {"subject": {"customer": "no"}},
		"not offered": {"subject": {"opt_out_offered": "no"}},
		"post": {"activation": {"channel": "post"}},
		"own products": {"activation": {"purpose": "marketing.own_similar"}},
		"one law does not know it": {"subject": {"regimes": ["eu", "uk"]}},
		"withdrawn": {"consent": {"status": "withdrawn"}},
		"denied": {"consent": {"status": "denied"}},
		"consent unknown": {"consent": {"status": "unknown"}},
		"no place": {"subject": {"regimes": []}},
	}
	not "soft_opt_in_charity" in bases.granted with input as object.union(supporter, parts)
}
