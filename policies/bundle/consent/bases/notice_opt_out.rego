package consent.bases

import data.consent.question

import future.keywords.not

# METADATA
# title: Notice and opt-out
# description: |
#   Where every law that protects the person asks for notice and an opt-out instead
#   of consent: the laws of states of the United States. Not on channels that ask
#   for consent there, and not after consent was refused or withdrawn. Each opt-out
#   is a rule of its own.
# labels:
#   code: B5
#   name: notice_opt_out
#   law: Cal. Civ. Code 1798.100 and 1798.120
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Nothing to do.
# related_resources:
#   - ref: https://leginfo.legislature.ca.gov/faces/codes_displaySection.xhtml?lawCode=CIV&sectionNum=1798.120
#     description: California Civil Code 1798.120
granted contains "notice_opt_out" if {
	"notice_opt_out" in data.purposes[input.activation.purpose].bases
	input.activation.channel != "unknown"
	not input.activation.channel in data.settings.consent_channels
	not_refused
	question.opt_out_alone
}
