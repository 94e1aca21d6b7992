package consent.deny

import future.keywords.not

# METADATA
# title: Processing is restricted
# description: |
#   The person asked that their data only be stored. Nothing goes anywhere, but
#   for what the law itself demands. Unknown counts as restricted.
# labels:
#   code: D03
#   name: art18_restricted
#   law: GDPR Art. 18
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Wait until the restriction is lifted (an entry with the action unrestricted).
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_18
#     description: GDPR Article 18
reasons contains {"code": "D03"} if {
	input.subject.restricted != "no"
	not data.purposes[input.activation.purpose].kind == "security"
}
