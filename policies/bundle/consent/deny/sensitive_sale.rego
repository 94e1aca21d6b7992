package consent.deny

import data.consent.question

# METADATA
# title: Sensitive data must not be sold
# description: |
#   The law of the person's state forbids the sale of sensitive data, whatever was
#   agreed to. Sharing counts as sale, and so does an unknown transfer.
# labels:
#   code: D17
#   name: state_sensitive_sale_ban
#   law: Md. Code Com. Law 14-4707(a)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Leave the field or segment out of what is sold or shared.
# related_resources:
#   - ref: https://mgaleg.maryland.gov/2024RS/Chapters_noln/CH_455_sb0541e.pdf
#     description: Maryland Online Data Privacy Act
reasons contains {"code": "D17"} if {
	question.shared
	count(question.sensitive) > 0
	some regime in input.subject.regimes
	data.regimes[regime].sensitive_sale == "never"
}
