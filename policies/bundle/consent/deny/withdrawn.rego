package consent.deny

# METADATA
# title: Consent was withdrawn or refused
# description: |
#   The person withdrew or refused consent for this purpose. No other basis may
#   take consent's place afterwards. Purposes that never rested on consent are
#   not touched. Unknown gives no basis either (see Consent).
# labels:
#   code: D06
#   name: withdrawn
#   law: GDPR Art. 7(3)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Stop. Only a later consent for this purpose, channel and address opens this again.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_7
#     description: GDPR Article 7
reasons contains {"code": "D06"} if {
	input.consent.status in {"withdrawn", "denied"}
	"consent" in data.purposes[input.activation.purpose].bases
}
