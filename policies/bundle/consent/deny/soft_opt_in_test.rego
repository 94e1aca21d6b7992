package consent.deny_test

import data.consent.deny
import data.consent.example

soft := object.union(example.asking("marketing.own_similar"), {"consent": {"status": "none"}, "subject": {"customer": "yes"}})

test_soft_denied[case] if {
	some case, parts in {
		"not offered": {},
		"unknown": {"subject": {"opt_out_offered": "unknown"}},
		"charity": {"activation": {"purpose": "fundraising"}, "controller": {"charity": "yes"}, "subject": {"regimes": ["uk"]}},
	}
	{"code": "D25"} in deny.reasons with input as object.union(soft, parts)
}

test_soft_untouched[case] if {
	some case, parts in {
		"offered": {"subject": {"opt_out_offered": "yes"}},
		"consent": {"consent": {"status": "granted"}},
		"no customer": {"subject": {"customer": "no"}},
		"no such basis there": {"subject": {"regimes": ["br"]}},
		"another purpose": {"activation": {"purpose": "marketing.newsletter"}},
		"charity, but no supporter": {
			"activation": {"purpose": "fundraising"},
			"controller": {"charity": "yes"},
			"subject": {"customer": "no", "regimes": ["uk"]},
		},
		"charity, another purpose": {
			"activation": {"purpose": "marketing.newsletter"},
			"controller": {"charity": "yes"},
			"subject": {"regimes": ["uk"]},
		},
		"charity elsewhere": {"activation": {"purpose": "fundraising"}, "controller": {"charity": "yes"}},
		"no charity": {"activation": {"purpose": "fundraising"}, "subject": {"regimes": ["uk"]}},
	}
	count({1 | {"code": "D25"} in deny.reasons}) == 0 with input as object.union(soft, parts)
}
