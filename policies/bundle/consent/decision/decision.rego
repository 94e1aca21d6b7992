# METADATA
# title: The decision
# description: |
#   The one question that the gate asks. A row may go only if at least one basis
#   is granted and no rule denies it. Everything else is a denial: this is the
#   default, so that a rule that fails to answer can never let a row through.
package consent.decision

import data.consent.bases
import data.consent.deny
import data.consent.obligations

import future.keywords.not

# METADATA
# title: The decision object
# description: |
#   allow; the basis it rests on ("" if none); the reasons against it; what the
#   destination has to carry out; and how long it holds: the last value of a day
#   count at which it is still true.
# entrypoint: true
result := {
	"allow": allow,
	"basis": basis,
	"reasons": reasons,
	"obligations": obligations.due,
	"valid_until": valid_until,
}

default allow := false

allow if {
	count(deny.reasons) == 0
	basis != ""
}

default basis := ""

# The purpose lists its bases in the order in which they are preferred.
basis := [name |
	some name in data.purposes[input.activation.purpose].bases
	name in bases.granted
][0]

reasons contains reason if some reason in deny.reasons

# METADATA
# title: No legal basis
# description: |
#   Nothing stands against this row, but nothing allows it either: no consent was
#   given for this purpose, channel and address, and the purpose needs no other
#   basis that applies.
# labels:
#   code: no_basis
#   name: no_basis
#   law: GDPR Art. 6(1)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Ask the person for consent for this purpose and channel, or stop sending it to them.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_6
#     description: GDPR Article 6
reasons contains {"code": "no_basis"} if {
	count(deny.reasons) == 0
	basis == ""
}

default valid_until := {}

valid_until := bases.holds if allow
