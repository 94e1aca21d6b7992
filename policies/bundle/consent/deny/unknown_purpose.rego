package consent.deny

import future.keywords.not

# METADATA
# title: The policy does not know this purpose
# description: |
#   The activation names a purpose that data/purposes.yaml does not list, so
#   that nobody has said on which basis it may rest.
# labels:
#   code: unknown_purpose
#   name: unknown_purpose
#   law: GDPR Art. 5(1)(b)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Correct the activation's purpose, or add the purpose to data/purposes.yaml and data/retention.yaml.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_5
#     description: GDPR Article 5
reasons contains {"code": "unknown_purpose"} if not data.purposes[input.activation.purpose]
