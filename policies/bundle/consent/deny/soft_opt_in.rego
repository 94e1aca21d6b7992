package consent.deny

import data.consent.bases

import future.keywords.not

# METADATA
# title: No opt-out was offered
# description: |
#   The person is a customer or supporter who could be written to without consent,
#   had an opt-out been offered at the sale and in each message since. Unknown
#   counts as not offered.
# labels:
#   code: D25
#   name: no_optout_offered
#   law: ePrivacy Directive Art. 13(2); PECR 22(3)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Offer the opt-out in the form and in each message, and map it to subject.opt_out_offered; or ask for consent.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/dir/2002/58/oj
#     description: ePrivacy Directive, Article 13
reasons contains {"code": "D25"} if {
	_soft
	not input.subject.opt_out_offered == "yes"
	count(bases.granted) == 0
}

_soft if {
	input.subject.customer == "yes"
	"soft_opt_in" in data.purposes[input.activation.purpose].bases
	some regime in input.subject.regimes
	data.regimes[regime].soft_opt_in
}

_soft if {
	input.subject.customer == "yes"
	input.controller.charity == "yes"
	"soft_opt_in_charity" in data.purposes[input.activation.purpose].bases
	some regime in input.subject.regimes
	data.regimes[regime].soft_opt_in_charity
}
