package consent.deny_test

import data.consent.deny
import data.consent.example

fields := [
	"activation/categories",
	"activation/channel",
	"activation/device",
	"activation/effect",
	"activation/human_review",
	"activation/purpose",
	"consent/age_days",
	"consent/device_storage",
	"consent/explicit",
	"consent/google",
	"consent/guardian",
	"consent/proof",
	"consent/status",
	"consent/tcf",
	"controller/charity",
	"controller/minors",
	"destination/country",
	"destination/dpa",
	"destination/google",
	"destination/kind",
	"destination/mechanism",
	"destination/purposes",
	"destination/role",
	"destination/tcf",
	"destination/transfer",
	"subject/age_band",
	"subject/customer",
	"subject/erasure",
	"subject/gpc",
	"subject/inactive_days",
	"subject/jurisdictions",
	"subject/limit_sensitive",
	"subject/objected",
	"subject/opt_out_offered",
	"subject/opted_out",
	"subject/opted_out_ads",
	"subject/opted_out_days",
	"subject/opted_out_profiling",
	"subject/regimes",
	"subject/restricted",
	"subject/suppressed",
	"subject/suppressed_elsewhere",
]

test_complete if deny.reasons == set() with input as example.good

test_absent[field] if {
	some field in fields
	{"code": "D02"} in deny.reasons with input as json.remove(example.good, [field])
}

test_empty if {"code": "D02"} in deny.reasons with input as {}
