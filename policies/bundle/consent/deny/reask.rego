package consent.deny

import future.keywords.not

# METADATA
# title: It is too soon to ask again
# description: |
#   Whoever opted out is not asked to opt in again for twelve months. Unknown counts
#   as opted out, and an unknown day as yesterday.
# labels:
#   code: D26
#   name: reask_too_soon
#   law: Cal. Civ. Code 1798.135(c)(4)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Wait.
# related_resources:
#   - ref: https://leginfo.legislature.ca.gov/faces/codes_displaySection.xhtml?lawCode=CIV&sectionNum=1798.135
#     description: California Civil Code 1798.135
reasons contains {"code": "D26"} if {
	data.purposes[input.activation.purpose].kind == "prompt"
	not input.subject.opted_out == "no"
	not _waited
}

_waited if {
	input.subject.opted_out_days != "unknown"
	input.subject.opted_out_days >= data.deadlines.us.reask_after_days
}
