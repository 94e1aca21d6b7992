package consent.deny

import data.consent.bases
import data.consent.question

import future.keywords.not

# METADATA
# title: A minor who did not opt in to sale or sharing
# description: |
#   Somebody of this age is sold, shared or shown targeted advertising only after
#   their own express opt-in, a child only after a parent's (see D10).
#   data/minors.yaml says up to which age, by law.
# labels:
#   code: D13
#   name: us_minor_no_opt_in
#   law: Cal. Civ. Code 1798.120(c); 11 CCR 7070-7071
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Ask for their own express opt-in, or leave them out.
# related_resources:
#   - ref: https://leginfo.legislature.ca.gov/faces/codes_displaySection.xhtml?lawCode=CIV&sectionNum=1798.120
#     description: California Civil Code 1798.120
reasons contains {"code": "D13"} if {
	question.advertising
	some regime in input.subject.regimes
	question.years <= data.minors.opt_in_upto[regime]
	not bases.express
}
