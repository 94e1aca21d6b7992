package consent.deny

import data.consent.question

import future.keywords.not

# METADATA
# title: A browser signalled Global Privacy Control
# description: |
#   The signal is an opt-out of sale and sharing for the browser and for every
#   profile that is tied to it, also one that is merged later. Unknown counts as
#   signalled, and an unknown transfer as a sale. data/signals.yaml says whose law
#   does not ask for it; everybody else is heard.
# labels:
#   code: D12
#   name: us_gpc
#   law: 11 CCR 7025(c)(1)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Stop. Only a later express opt-in by the known person opens this again.
# related_resources:
#   - ref: https://www.law.cornell.edu/regulations/california/11-CCR-7025
#     description: California Code of Regulations, title 11, section 7025
reasons contains {"code": "D12"} if {
	question.shared
	not input.subject.gpc == "no"
	some regime in input.subject.regimes
	not data.signals[regime].honour == false
}
