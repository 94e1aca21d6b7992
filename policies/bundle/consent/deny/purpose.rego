package consent.deny

import future.keywords.not

# METADATA
# title: The destination does not declare this purpose
# description: |
#   Data may be used only for the purposes that were declared. A destination
#   lists its purposes by their full names; a purpose does not include those
#   below it.
# labels:
#   code: D23
#   name: purpose_not_declared_by_destination
#   law: GDPR Art. 5(1)(b)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Add the purpose to privacy.purposes of the destination, if its contract covers it.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_5
#     description: GDPR Article 5
reasons contains {"code": "D23"} if not input.activation.purpose in input.destination.purposes
