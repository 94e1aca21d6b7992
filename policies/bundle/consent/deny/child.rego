package consent.deny

import data.consent.bases
import data.consent.question

import future.keywords.not

# METADATA
# title: A child without a guardian's consent
# description: |
#   The person is younger than the age from which the law of their country lets them
#   consent by themselves (data/minors.yaml), and no parent or guardian consented.
#   Messages that are owed to them are not touched. An unknown age is a grown-up's,
#   but a child's where what is offered is directed at minors.
# labels:
#   code: D10
#   name: child_no_guardian
#   law: GDPR Art. 8(1); COPPA, 16 CFR 312.5
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Ask a parent or guardian for consent, and map who gave it to `actor`.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_8
#     description: GDPR Article 8
reasons contains {"code": "D10"} if {
	some code in input.subject.jurisdictions
	place := data.jurisdictions[code]
	question.years < object.get(data.minors.child_age, code, data.regimes[place.regime].child_age)
	not question.owed
	not bases.by_guardian
}
