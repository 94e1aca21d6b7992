package consent.deny

import data.consent.question

import future.keywords.not

# METADATA
# title: No TCF consent for this vendor
# description: |
#   The destination is a vendor of IAB's Transparency and Consent Framework, and the
#   person's TC string is missing or can't be read, does not disclose the vendor
#   (2.3, since March 2026), or does not grant it its purposes. Unknown counts as
#   missing.
# labels:
#   code: D27
#   name: tcf_missing_or_vendor_not_disclosed
#   law: GDPR Art. 6(1)(a), 7; IAB TCF Policies 2.3
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Collect the TC string (action signal, method tcf, raw_signal), with a consent manager that writes version 2.3.
# related_resources:
#   - ref: https://iabeurope.eu/transparency-consent-framework/
#     description: IAB Europe, Transparency and Consent Framework
reasons contains {"code": "D27"} if {
	not input.destination.tcf == "no"
	not input.consent.tcf == "granted"
	some regime in input.subject.regimes
	data.regimes[regime].tcf
	not question.owed
}
