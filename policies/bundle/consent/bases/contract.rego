package consent.bases

# METADATA
# title: Contract
# description: |
#   Messages that a contract with the person needs, such as an order confirmation.
#   Only for purposes whose kind is transactional and that list this basis. It
#   needs no consent; unknown facts about the person don't matter to it.
# labels:
#   code: B1
#   name: contract
#   law: GDPR Art. 6(1)(b)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Nothing to do.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_6
#     description: GDPR Article 6
granted contains "contract" if {
	data.purposes[input.activation.purpose].kind == "transactional"
	"contract" in data.purposes[input.activation.purpose].bases
}
