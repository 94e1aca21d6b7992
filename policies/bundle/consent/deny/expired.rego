package consent.deny

import data.consent.bases

import future.keywords.not

# METADATA
# title: Consent has expired
# description: |
#   The consent has reached its own end, or is older than data/retention.yaml
#   allows for this purpose; its last day still counts. An unknown age counts as
#   too old, and so does every age where no limit is set. Where another
#   basis carries the row, no consent is needed that could expire.
# labels:
#   code: D07
#   name: consent_expired
#   law: GDPR Art. 5(1)(e)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Ask the person to renew their consent.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_5
#     description: GDPR Article 5
reasons contains {"code": "D07"} if {
	"consent" in data.purposes[input.activation.purpose].bases
	count(bases.granted) == 0
	_expired
}

_expired if input.consent.status == "expired"

_expired if {
	input.consent.status == "granted"
	not input.consent.age_days <= data.retention[input.activation.purpose].consent_max_age_days
}
