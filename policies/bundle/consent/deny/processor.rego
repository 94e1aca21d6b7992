package consent.deny

import future.keywords.not

# METADATA
# title: A processor without a contract
# description: |
#   Whoever processes for us needs a contract that says what it may do. Unknown
#   counts as none, and an unknown role as a processor.
# labels:
#   code: D22
#   name: no_dpa
#   law: GDPR Art. 28(3); 11 CCR 7051
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: "Sign the contract and say dpa: true in privacy of the destination."
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_28
#     description: GDPR Article 28
reasons contains {"code": "D22"} if {
	not input.destination.role in {"controller", "joint_controller", "third_party"}
	not input.destination.dpa == "yes"
}
