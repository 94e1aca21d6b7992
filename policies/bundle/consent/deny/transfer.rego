package consent.deny

import future.keywords.not

# METADATA
# title: A transfer abroad without a mechanism
# description: |
#   The destination is in a country to which the person's law lets no data go, and
#   it names no mechanism that would (data/transfers.yaml). An unknown country is
#   abroad.
# labels:
#   code: D21
#   name: no_transfer_mechanism
#   law: GDPR Art. 44-46; LGPD Art. 33
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Agree on a mechanism and write it into privacy.mechanism of the destination (scc, bcr, dpf), or use another destination.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_44
#     description: GDPR Article 44
reasons contains {"code": "D21"} if {
	some regime in input.subject.regimes
	rules := data.transfers[regime]
	not _may_go(rules)
}

_may_go(rules) if input.destination.country in rules.free

_may_go(rules) if input.destination.country in rules.adequate

_may_go(rules) if {
	input.destination.country != "unknown"
	some country in rules.mechanisms[input.destination.mechanism]
	country in {"any", input.destination.country}
}
