package consent.deny

import data.consent.question

import future.keywords.not

# METADATA
# title: The person opted out of targeted advertising
# description: |
#   Whoever opted out is in no advertising with others and on no list that is sold
#   or shared, wherever they live. Unknown counts as opted out.
# labels:
#   code: D18
#   name: targeted_ads_opt_out
#   law: Colo. Rev. Stat. 6-1-1306(1)(a); Va. Code 59.1-577
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Stop. A later express opt-in opens this again.
# related_resources:
#   - ref: https://leg.colorado.gov/bills/sb21-190
#     description: Colorado Privacy Act
reasons contains {"code": "D18"} if {
	question.advertising
	not input.subject.opted_out_ads == "no"
}
