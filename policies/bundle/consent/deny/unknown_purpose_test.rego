package consent.deny_test

import data.consent.deny
import data.consent.example

test_unknown_purpose[purpose] if {
	some purpose in ["marketing", "marketing.everything", "unknown", ""]
	deny.reasons == {{"code": "unknown_purpose"}} with input as object.union(
		example.asking(purpose),
		{"destination": {"purposes": [purpose]}},
	)
}
