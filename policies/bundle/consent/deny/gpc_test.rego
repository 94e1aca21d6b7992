package consent.deny_test

import data.consent.deny
import data.consent.example

test_gpc_and_no_transfer if {
	deny.reasons == set() with input as object.union(
		example.changed("destination", {"transfer": "none"}),
		{"subject": object.union(example.changed("subject", {"gpc": "yes"}).subject, {})},
	)
}

test_gpc_stops_sale_and_sharing[pair] if {
	some pair in [["sale", "yes"], ["share", "yes"], ["unknown", "yes"], ["sale", "unknown"]]
	{"code": "D12"} in deny.reasons with input as object.union(
		example.changed("destination", {"transfer": pair[0]}),
		{"subject": object.union(example.changed("subject", {"gpc": pair[1]}).subject, {})},
	)
}

test_gpc_not_said[transfer] if {
	some transfer in ["sale", "share"]
	deny.reasons == set() with input as object.union(
		example.changed("destination", {"transfer": transfer}),
		{"subject": object.union(example.changed("subject", {"gpc": "no"}).subject, {})},
	)
}
