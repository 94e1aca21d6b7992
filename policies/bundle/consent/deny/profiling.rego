package consent.deny

import data.consent.bases

import future.keywords.not

# METADATA
# title: Profiling that the person can refuse
# description: |
#   The person opted out of profiling, and this is analysis of their behaviour or
#   has significant effects on them. Or it has significant effects, and there is no
#   human review, or neither a contract, the law nor explicit consent carries it.
#   Unknown counts as opted out and as no review.
# labels:
#   code: D19
#   name: profiling_opt_out
#   law: GDPR Art. 22; Va. Code 59.1-577(A)(5)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Leave them out; for significant effects say human_review in the activation and ask for explicit consent.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_22
#     description: GDPR Article 22
reasons contains {"code": "D19"} if _refused

_refused if {
	_profiling
	not input.subject.opted_out_profiling == "no"
}

_refused if {
	not input.activation.effect == "none"
	not _reviewed
}

_profiling if data.purposes[input.activation.purpose].kind == "analytics"

_profiling if not input.activation.effect == "none"

_reviewed if {
	input.activation.human_review == "yes"
	_carried
}

_carried if bases.express

_carried if "contract" in bases.granted

_carried if "legal_obligation" in bases.granted
