package consent.deny

import data.consent.bases

import future.keywords.not

# METADATA
# title: There is no evidence of the consent
# description: |
#   Whoever relies on consent must be able to show that it was given. Unknown
#   evidence counts as none. Where another basis carries the row, consent is not
#   relied on.
# labels:
#   code: D08
#   name: no_proof
#   law: GDPR Art. 7(1)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Map the evidence (form, recording, message) to `proof` in the source that collects the consent.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_7
#     description: GDPR Article 7
reasons contains {"code": "D08"} if {
	"consent" in data.purposes[input.activation.purpose].bases
	input.consent.status == "granted"
	input.consent.proof != "yes"
	count(bases.granted) == 0
}
