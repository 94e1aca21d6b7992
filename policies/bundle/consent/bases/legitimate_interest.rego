package consent.bases

import future.keywords.not

# METADATA
# title: Legitimate interest
# description: |
#   The interests of the controller prevail, by a written assessment that the
#   purpose names. Never on channels that ask for consent, and never after consent
#   was refused or withdrawn: a basis is not swapped. An objection ends it (D05).
#   The built-in purposes don't use it.
# labels:
#   code: B4
#   name: legitimate_interest
#   law: GDPR Art. 6(1)(f)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Nothing to do.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_6
#     description: GDPR Article 6
granted contains "legitimate_interest" if {
	"legitimate_interest" in data.purposes[input.activation.purpose].bases
	data.purposes[input.activation.purpose].assessment != ""
	input.activation.channel != "unknown"
	not input.activation.channel in data.settings.no_interest_channels
	not_refused
	count(input.subject.regimes) > 0
	every regime in input.subject.regimes {
		data.regimes[regime].legitimate_interest
	}
}
