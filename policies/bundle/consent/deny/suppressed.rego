package consent.deny

import future.keywords.not

# METADATA
# title: The channel is closed
# description: |
#   The person said STOP, complained, or the address does not work. Only what the
#   law itself demands still goes, and within minutes the one message that confirms
#   the STOP. Where data/settings.yaml says so, a STOP on one channel closes all.
#   Unknown counts as closed.
# labels:
#   code: D24
#   name: channel_suppressed
#   law: 47 CFR 64.1200(a)(10) and (12); CAN-SPAM, 15 USC 7704(a)(4)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Stop on this channel. A later express opt-in opens it again.
# related_resources:
#   - ref: https://www.law.cornell.edu/cfr/text/47/64.1200
#     description: Code of Federal Regulations, title 47, section 64.1200
reasons contains {"code": "D24"} if {
	_closed
	not data.purposes[input.activation.purpose].kind == "security"
	not _confirms
}

_closed if not input.subject.suppressed == "no"

_closed if {
	data.settings.revoke_all
	not input.subject.suppressed_elsewhere == "no"
}

_confirms if {
	data.purposes[input.activation.purpose].kind == "confirmation"
	input.subject.suppressed == "fresh"
}
