package consent.deny

import data.consent.question

import future.keywords.not

# METADATA
# title: The use of sensitive data is limited
# description: |
#   The person asked that their sensitive data be used only for what they asked for.
#   The law of their state lets them limit it, or opt out of it. Messages that are
#   owed to them are not touched. Unknown counts as asked.
# labels:
#   code: D15
#   name: limit_spi
#   law: Cal. Civ. Code 1798.121; 11 CCR 7027
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Leave the field or segment out of the activation.
# related_resources:
#   - ref: https://leginfo.legislature.ca.gov/faces/codes_displaySection.xhtml?lawCode=CIV&sectionNum=1798.121
#     description: California Civil Code 1798.121
reasons contains {"code": "D15"} if {
	count(question.sensitive) > 0
	not input.subject.limit_sensitive == "no"
	some regime in input.subject.regimes
	data.regimes[regime].sensitive in {"limit", "opt_out"}
	not question.owed
}
