package consent.deny

import future.keywords.not

# METADATA
# title: The person objected
# description: |
#   An objection to direct marketing is absolute: it beats every basis, consent
#   given earlier included, and covers profiling for marketing. Messages that
#   rest on a contract or on a legal obligation are not touched. Unknown counts
#   as objected.
# labels:
#   code: D05
#   name: art21_objection
#   law: GDPR Art. 21(2)-(3)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Stop. Only a later explicit opt-in by the person opens this again.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_21
#     description: GDPR Article 21
reasons contains {"code": "D05"} if {
	input.subject.objected != "no"
	not data.purposes[input.activation.purpose].kind in {"transactional", "security", "confirmation"}
}
