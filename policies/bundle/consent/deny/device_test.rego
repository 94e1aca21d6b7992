package consent.deny_test

import data.consent.deny
import data.consent.example

device := object.union(example.good, {"activation": {"device": "yes"}, "consent": {"device_storage": "unknown"}})

test_device_denied[case] if {
	some case, parts in {
		"unknown": {},
		"no": {"consent": {"device_storage": "no"}},
		"perhaps asked": {"activation": {"device": "unknown"}},
		"United Kingdom": {"subject": {"regimes": ["uk"]}},
	}
	{"code": "D29"} in deny.reasons with input as object.union(device, parts)
}

test_device_untouched[case] if {
	some case, parts in {
		"granted": {"consent": {"device_storage": "yes"}},
		"not asked": {"activation": {"device": "no"}},
		"no law": {"subject": {"regimes": ["us-ca"]}},
		"owed": {"activation": {"purpose": "service.transactional"}},
	}
	count({1 | {"code": "D29"} in deny.reasons}) == 0 with input as object.union(device, parts)
}
