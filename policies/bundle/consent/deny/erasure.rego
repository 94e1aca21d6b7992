package consent.deny

import future.keywords.not

# METADATA
# title: Erasure was requested
# description: |
#   The person asked to be erased, or was. Nothing goes anywhere, but for what
#   the law itself demands. Unknown counts as requested.
# labels:
#   code: D04
#   name: erasure_pending
#   law: GDPR Art. 17
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Complete the erasure. The person can be addressed again only as a new person.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_17
#     description: GDPR Article 17
reasons contains {"code": "D04"} if {
	input.subject.erasure != "none"
	not data.purposes[input.activation.purpose].kind == "security"
}
