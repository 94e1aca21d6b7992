package consent.deny

import data.consent.question

import future.keywords.not

# METADATA
# title: No consent to read the device
# description: |
#   What is sent was read from the person's device, and they did not consent to that
#   (an entry for the purpose device.storage). Messages that are owed to them are
#   not touched. Unknown counts as no consent.
# labels:
#   code: D29
#   name: device_storage_no_consent
#   law: ePrivacy Directive Art. 5(3); PECR 6
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Ask for consent to cookies and device identifiers, or leave the identifier out of the activation.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/dir/2002/58/oj
#     description: ePrivacy Directive, Article 5
reasons contains {"code": "D29"} if {
	not input.activation.device == "no"
	not input.consent.device_storage == "yes"
	some regime in input.subject.regimes
	data.regimes[regime].device_consent
	not question.owed
}
