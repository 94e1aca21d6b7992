package consent.deny

import data.consent.question

# METADATA
# title: A minor who must not be sold or advertised to
# description: |
#   The law forbids sale and targeted advertising at this age, whatever was agreed
#   to. data/minors.yaml says up to which age, by law.
# labels:
#   code: D14
#   name: us_minor_ads_ban
#   law: Md. Code Com. Law 14-4707; ORS 646A.578
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Leave minors out of the segment.
# related_resources:
#   - ref: https://mgaleg.maryland.gov/2024RS/Chapters_noln/CH_455_sb0541e.pdf
#     description: Maryland Online Data Privacy Act
reasons contains {"code": "D14"} if {
	question.advertising
	some regime in input.subject.regimes
	question.years <= data.minors.ban_upto[regime]
}
