package consent.bases

# METADATA
# title: Legal obligation
# description: |
#   Messages that the law itself demands: notice of a data breach, a recall. Only
#   for purposes whose kind is security and that list this basis. Unknown facts
#   about the person don't matter to it. And the one message that confirms a STOP,
#   within minutes of it (kind confirmation; 47 CFR 64.1200(a)(12)).
# labels:
#   code: B6
#   name: legal_obligation
#   law: GDPR Art. 6(1)(c)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Nothing to do.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_6
#     description: GDPR Article 6
granted contains "legal_obligation" if {
	"legal_obligation" in data.purposes[input.activation.purpose].bases
	_demanded
}

_demanded if data.purposes[input.activation.purpose].kind == "security"

_demanded if {
	data.purposes[input.activation.purpose].kind == "confirmation"
	input.subject.suppressed == "fresh"
}
