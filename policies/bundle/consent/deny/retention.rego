package consent.deny

import data.consent.bases

import future.keywords.not

# METADATA
# title: The person has been silent too long
# description: |
#   Nothing has come from the person for longer than data/retention.yaml lets their
#   data be used for this purpose; the last day still counts. What the host counts
#   as a contact is subject.last_contact in weir.yaml: a purchase or a click, never
#   an e-mail that was opened. Unknown counts as too long, but where consent carries
#   it, since that came from the person.
# labels:
#   code: D20
#   name: retention_expired
#   law: GDPR Art. 5(1)(e)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Delete or archive the profile; or map what counts as a contact to subject.last_contact.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_5
#     description: GDPR Article 5
reasons contains {"code": "D20"} if {
	data.retention[input.activation.purpose].inactive_max_days
	some regime in input.subject.regimes
	data.regimes[regime].limits_retention
	not _active
}

_active if input.subject.inactive_days <= data.retention[input.activation.purpose].inactive_max_days

_active if {
	input.subject.inactive_days == "unknown"
	"consent" in bases.granted
}
