package consent.deny_test

import data.consent.deny
import data.consent.example

fields := [
	"activation/categories",
	"activation/channel",
	"activation/purpose",
	"consent/age_days",
	"consent/explicit",
	"consent/proof",
	"consent/status",
	"destination/country",
	"destination/dpa",
	"destination/kind",
	"destination/mechanism",
	"destination/purposes",
	"destination/role",
	"destination/transfer",
	"subject/age_band",
	"subject/erasure",
	"subject/gpc",
	"subject/inactive_days",
	"subject/jurisdictions",
	"subject/objected",
	"subject/opted_out",
	"subject/regimes",
	"subject/restricted",
]

test_complete if deny.reasons == set() with input as example.good

test_absent[field] if {
	some field in fields
	{"code": "D02"} in deny.reasons with input as json.remove(example.good, [field])
}

test_empty if {"code": "D02"} in deny.reasons with input as {}
