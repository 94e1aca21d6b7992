package consent.deny_test

import data.consent.deny
import data.consent.example

test_known if deny.reasons == set() with input as example.changed("subject", {"jurisdictions": ["FR", "US-CA"]})

test_unknown[name] if {
	some name, places in {
		"unknown": ["unknown"],
		"one of two": ["FR", "unknown"],
		"not listed": ["XX"],
		"none": [],
	}
	deny.reasons == {{"code": "D01"}} with input as example.changed("subject", {"jurisdictions": places})
}
