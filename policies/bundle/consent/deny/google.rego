package consent.deny

import data.consent.question

import future.keywords.not

# METADATA
# title: Google needs both of its consents
# description: |
#   Google takes an audience from the European Economic Area only with ad_user_data
#   and ad_personalization granted, and reads a missing one as denied. Unknown
#   counts as missing.
# labels:
#   code: D28
#   name: google_consent_not_granted
#   law: Google EU user consent policy; GDPR Art. 6(1)(a)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Collect both consents (action signal, method google, raw_signal).
# related_resources:
#   - ref: https://support.google.com/google-ads/answer/14310715
#     description: Google Ads Help, EU user consent policy
reasons contains {"code": "D28"} if {
	not input.destination.google == "no"
	not input.consent.google == "granted"
	some regime in input.subject.regimes
	data.regimes[regime].google
	not question.owed
}
