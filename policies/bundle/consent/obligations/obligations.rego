# METADATA
# title: Obligations
# description: |
#   What has to be done with each row that is sent, as {"name": …, "value": …}.
#   drop_fields and set are carried out before the destination sees the row; others
#   by the destination. Where nobody can, the row is denied (obligation_unsupported).
package consent.obligations

import data.consent.decision

# METADATA
# title: Lists for Google are of one consent class
# description: |
#   Google reads the consent that an upload states as that of everybody in it, so who
#   consented to what must be the same for all of them.
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Send it by a destination that keeps classes apart; files and webhook do.
# related_resources:
#   - ref: https://support.google.com/google-ads/answer/14310715
#     description: Google Ads Help, EU user consent policy
due contains {"name": "partition_by_class", "value": "yes"} if input.destination.google == "yes"

# METADATA
# title: The soft opt-in offers a way out in each message
# description: |
#   Who is written to as a customer, without having said yes, must be able to say no
#   in every message. Where settings.yaml says so, Weir makes the link and sends no
#   row without it; else the sender's own tool is trusted to.
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Add optout_link to the activation, and send it where the link goes out.
# related_resources:
#   - ref: https://www.legislation.gov.uk/uksi/2003/2426/regulation/22
#     description: PECR regulation 22(3)(c)
#   - ref: https://eur-lex.europa.eu/eli/dir/2002/58/oj
#     description: ePrivacy Directive, Article 13(2)
due contains {"name": "include_optout_link", "value": "yes"} if {
	data.settings.soft_opt_in_link
	decision.basis in {"soft_opt_in", "soft_opt_in_charity"}
}
