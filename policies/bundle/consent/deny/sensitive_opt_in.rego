package consent.deny

import data.consent.bases
import data.consent.question

import future.keywords.not

# METADATA
# title: Sensitive data without an opt-in
# description: |
#   The law of the person's state lets sensitive data be used only after an opt-in.
#   Messages that are owed to them are not touched. Unknown counts as none.
# labels:
#   code: D16
#   name: state_sensitive_no_opt_in
#   law: Va. Code 59.1-578(A)(5)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Ask for express consent, or leave the field or segment out of the activation.
# related_resources:
#   - ref: https://law.lis.virginia.gov/vacode/title59.1/chapter53/section59.1-578/
#     description: Virginia Code 59.1-578
reasons contains {"code": "D16"} if {
	count(question.sensitive) > 0
	some regime in input.subject.regimes
	data.regimes[regime].sensitive == "opt_in"
	not question.owed
	not bases.express
}
