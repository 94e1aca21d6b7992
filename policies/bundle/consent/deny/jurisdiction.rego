# METADATA
# title: What stands against a row
# description: |
#   Every rule that can deny, one law or principle a file. A single reason is
#   enough to deny, whatever basis is granted.
package consent.deny

import future.keywords.not

# METADATA
# title: The person's jurisdiction is not known
# description: |
#   Nobody can say which law protects this person, so none can be followed. At
#   least one jurisdiction must be known, and every one that is claimed must be
#   in data/jurisdictions.yaml. Unknown counts as not allowed.
# labels:
#   code: D01
#   name: unknown_jurisdiction
#   law: GDPR Art. 3
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Map the person's country (weir.yaml, subject.jurisdiction), or add the missing country to data/jurisdictions.yaml.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_3
#     description: GDPR Article 3
reasons contains {"code": "D01"} if not _jurisdictions_known

_jurisdictions_known if {
	count(input.subject.jurisdictions) > 0
	every code in input.subject.jurisdictions {
		data.jurisdictions[code]
	}
}
