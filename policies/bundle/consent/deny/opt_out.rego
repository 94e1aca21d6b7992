package consent.deny

import data.consent.question

import future.keywords.not

# METADATA
# title: The person opted out of sale and sharing
# description: |
#   Whoever opted out is not sold, and not shared for cross-context advertising,
#   whatever they consented to before. A destination that matches lists for
#   advertising shares, whatever its contract says. Unknown counts as opted out,
#   and an unknown transfer as a sale.
# labels:
#   code: D11
#   name: us_opt_out_sale_share
#   law: Cal. Civ. Code 1798.120; 11 CCR 7050(b)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Stop. Do not ask again for twelve months; a later express opt-in opens this again.
# related_resources:
#   - ref: https://leginfo.legislature.ca.gov/faces/codes_displaySection.xhtml?lawCode=CIV&sectionNum=1798.120
#     description: California Civil Code 1798.120
reasons contains {"code": "D11"} if {
	question.shared
	not input.subject.opted_out == "no"
}
