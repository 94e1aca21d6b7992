# METADATA
# title: Legal bases
# description: |
#   What allows a row to go. At least one of these must be granted (GDPR Art. 6).
package consent.bases

# METADATA
# title: Consent
# description: |
#   The person agreed to exactly this purpose on this channel for the address that
#   would be used, the agreement has not expired, and there is evidence of it.
#   Unknown evidence counts as none.
# labels:
#   code: B2
#   name: consent
#   law: GDPR Art. 6(1)(a), Art. 7(1)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Nothing to do.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_7
#     description: GDPR Article 7
granted contains "consent" if {
	"consent" in data.purposes[input.activation.purpose].bases
	input.consent.status == "granted"
	input.consent.proof == "yes"
	input.consent.age_days <= data.retention[input.activation.purpose].consent_max_age_days
}

# METADATA
# title: How long consent holds
# description: A decision that rests on consent ends on the day on which the consent is too old.
holds["consent.age_days"] := data.retention[input.activation.purpose].consent_max_age_days if "consent" in granted

# METADATA
# title: How long after the last contact
# description: A decision about somebody whose data may be kept for a time ends when they have been silent too long.
holds["subject.inactive_days"] := data.retention[input.activation.purpose].inactive_max_days if {
	input.subject.inactive_days != "unknown"
	some regime in input.subject.regimes
	data.regimes[regime].limits_retention
}
