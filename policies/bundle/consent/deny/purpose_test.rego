package consent.deny_test

import data.consent.deny
import data.consent.example

test_purpose_not_declared[name] if {
	some name, declared in {
		"none": [],
		"another": ["service.transactional"],
		"the one above": ["marketing"],
		"one below": ["marketing.newsletter.weekly"],
	}
	deny.reasons == {{"code": "D23"}} with input as example.changed("destination", {"purposes": declared})
}
