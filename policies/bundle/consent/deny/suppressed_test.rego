package consent.deny_test

import data.consent.deny
import data.consent.example

closed := object.union(example.good, {"subject": {"suppressed": "yes"}})

test_closed_denied[case] if {
	some case, parts in {
		"STOP": {},
		"just now": {"subject": {"suppressed": "fresh"}},
		"unknown": {"subject": {"suppressed": "unknown"}},
		"owed": {"activation": {"purpose": "service.transactional"}},
		"confirmed too late": {"activation": {"purpose": "service.optout_confirmation"}},
	}
	{"code": "D24"} in deny.reasons with input as object.union(closed, parts)
}

test_closed_untouched[case] if {
	some case, parts in {
		"open": {"subject": {"suppressed": "no"}},
		"law": {"activation": {"purpose": "service.security"}},
		"confirmation": {"activation": {"purpose": "service.optout_confirmation"}, "subject": {"suppressed": "fresh"}},
		"another channel": {"subject": {"suppressed": "no", "suppressed_elsewhere": "yes"}},
	}
	count({1 | {"code": "D24"} in deny.reasons}) == 0 with input as object.union(closed, parts)
}

test_revoke_all[value] if {
	some value in ["yes", "unknown"]
	{"code": "D24"} in deny.reasons with input as example.changed("subject", {"suppressed_elsewhere": value})
		with data.settings.revoke_all as true
}

test_revoke_all_of_nothing if {
	deny.reasons == set() with input as example.good
		with data.settings.revoke_all as true
}
