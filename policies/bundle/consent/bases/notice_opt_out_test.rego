package consent.bases_test

import data.consent.bases
import data.consent.example

import future.keywords.not

american := example.living(["US-CA"], ["us-ca"], object.union(example.ads, {"consent": {"status": "none"}}))

test_american if "notice_opt_out" in bases.granted with input as american

test_american_needs[case] if {
	some case, parts in {
		"text message": {"activation": {"channel": "sms"}},
		"unknown channel": {"activation": {"channel": "unknown"}},
		"newsletter": {"activation": {"purpose": "marketing.newsletter"}},
		"one law asks for consent": {"subject": {"regimes": ["eu", "us-ca"]}},
		"withdrawn": {"consent": {"status": "withdrawn"}},
		"denied": {"consent": {"status": "denied"}},
		"consent unknown": {"consent": {"status": "unknown"}},
		"no place": {"subject": {"regimes": []}},
	}
	not "notice_opt_out" in bases.granted with input as object.union(american, parts)
}

test_american_consent_does_not_matter[status] if {
	some status in ["granted", "expired"]
	"notice_opt_out" in bases.granted with input as object.union(american, {"consent": {"status": status}})
}
