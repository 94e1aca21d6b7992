package consent.deny_test

import data.consent.deny
import data.consent.example

profiling := example.asking("analytics.profile")

test_profiling_denied[case] if {
	some case, parts in {
		"opted out": {"subject": {"opted_out_profiling": "yes"}},
		"unknown": {"subject": {"opted_out_profiling": "unknown"}},
		"opted out of effects": {"activation": {"purpose": "marketing.newsletter", "effect": "significant", "human_review": "yes"}, "consent": {"explicit": "yes"}, "subject": {"opted_out_profiling": "yes"}},
		"not reviewed": {"activation": {"effect": "significant"}, "consent": {"explicit": "yes"}},
		"review unknown": {"activation": {"effect": "significant", "human_review": "unknown"}, "consent": {"explicit": "yes"}},
		"not explicit": {"activation": {"effect": "significant", "human_review": "yes"}},
	}
	{"code": "D19"} in deny.reasons with input as object.union(profiling, parts)
}

test_profiling_untouched[case] if {
	some case, parts in {
		"not opted out": {},
		"no profiling": {"activation": {"purpose": "marketing.newsletter"}, "subject": {"opted_out_profiling": "yes"}},
		"reviewed": {"activation": {"effect": "significant", "human_review": "yes"}, "consent": {"explicit": "yes"}},
		"contract": {"activation": {"purpose": "service.transactional", "effect": "significant", "human_review": "yes"}},
		"law": {"activation": {"purpose": "service.security", "effect": "significant", "human_review": "yes"}},
	}
	count({1 | {"code": "D19"} in deny.reasons}) == 0 with input as object.union(profiling, parts)
}
