package consent.deny_test

import data.consent.deny
import data.consent.example

test_opt_out_and_no_transfer if {
	deny.reasons == set() with input as object.union(
		example.changed("destination", {"transfer": "none"}),
		{"subject": object.union(example.changed("subject", {"opted_out": "yes"}).subject, {})},
	)
}

test_opt_out_stops_sale_and_sharing[pair] if {
	some pair in [["sale", "yes"], ["share", "yes"], ["unknown", "yes"], ["sale", "unknown"]]
	{"code": "D11"} in deny.reasons with input as object.union(
		example.changed("destination", {"transfer": pair[0]}),
		{"subject": object.union(example.changed("subject", {"opted_out": pair[1]}).subject, {})},
	)
}

test_opt_out_not_said[transfer] if {
	some transfer in ["sale", "share"]
	deny.reasons == set() with input as object.union(
		example.changed("destination", {"transfer": transfer}),
		{"subject": object.union(example.changed("subject", {"opted_out": "no"}).subject, {})},
	)
}
