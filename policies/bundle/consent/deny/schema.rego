package consent.deny

import future.keywords.not

# METADATA
# title: The question is incomplete
# description: |
#   The host has to fill every field, with the word unknown where nothing is
#   known. A field that is absent is a defect of the host or of an older
#   version, and what it would have said can't be guessed.
# labels:
#   code: D02
#   name: schema_incomplete
#   law: GDPR Art. 5(2)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: This is a defect. Report it with the class's inputs from consent.classes.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_5
#     description: GDPR Article 5
reasons contains {"code": "D02"} if not _complete

_complete if {
	input.subject.age_band
	input.subject.customer
	input.subject.erasure
	input.subject.gpc
	input.subject.inactive_days
	input.subject.jurisdictions
	input.subject.limit_sensitive
	input.subject.objected
	input.subject.opt_out_offered
	input.subject.opted_out
	input.subject.opted_out_ads
	input.subject.opted_out_days
	input.subject.opted_out_profiling
	input.subject.regimes
	input.subject.restricted
	input.subject.suppressed
	input.subject.suppressed_elsewhere
	input.consent.age_days
	input.consent.device_storage
	input.consent.explicit
	input.consent.google
	input.consent.guardian
	input.consent.proof
	input.consent.status
	input.consent.tcf
	input.activation.categories
	input.activation.channel
	input.activation.device
	input.activation.effect
	input.activation.human_review
	input.activation.purpose
	input.controller.charity
	input.controller.minors
	input.destination.country
	input.destination.dpa
	input.destination.google
	input.destination.kind
	input.destination.mechanism
	input.destination.purposes
	input.destination.role
	input.destination.tcf
	input.destination.transfer
}
