package consent.deny

import data.consent.bases
import data.consent.question

import future.keywords.not

# METADATA
# title: Special categories need explicit consent
# description: |
#   The segment or a field that is sent tells something about health, religion,
#   origin, sexuality or another special category, inferred ones included, and
#   the consent was not explicit. Unknown counts as not explicit, and a category that
#   data/categories.yaml does not list as special. Messages that
#   the law itself demands are not touched.
# labels:
#   code: D09
#   name: special_no_explicit
#   law: GDPR Art. 9(2)(a)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Ask for explicit consent, or leave the field or segment out of the activation.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_9
#     description: GDPR Article 9
reasons contains {"code": "D09"} if {
	count(question.special) > 0
	some regime in input.subject.regimes
	data.regimes[regime].sensitive == "explicit"
	not bases.express
	not data.purposes[input.activation.purpose].kind == "security"
}
