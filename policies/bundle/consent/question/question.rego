# METADATA
# title: What is asked
# description: |
#   Words that several rules share: whether something is sharing or advertising, what the
#   categories are, how old the person counts as. Nothing here allows or denies.
package consent.question

import future.keywords.not

# METADATA
# title: Shared
# description: |
#   What is sent is sold or shared: the destination says so, or is of a kind that always
#   shares (data/destinations.yaml). Unknown counts as shared.
shared if not input.destination.transfer == "none"

shared if data.destinations[input.destination.kind].shares

# METADATA
# title: Advertising with others
# description: The purpose is advertising with others, or what is sent is sold or shared.
advertising if data.purposes[input.activation.purpose].kind == "ads"

advertising if shared

# METADATA
# title: Owed
# description: A message that the person or the law demands, and nobody chose to send.
owed if data.purposes[input.activation.purpose].kind in {"transactional", "security", "confirmation"}

# METADATA
# title: Special categories
# description: Those of GDPR Art. 9 and 10 among the activation's; an unlisted category counts.
special contains category if {
	some category in input.activation.categories
	not data.categories[category].special == false
}

# METADATA
# title: Sensitive categories
# description: Those of the laws of US states among the activation's; an unlisted category counts.
sensitive contains category if {
	some category in input.activation.categories
	not data.categories[category].sensitive == false
}

# METADATA
# title: Years
# description: |
#   How old the person counts as; 18 is every grown-up. Unknown is a grown-up, but a child
#   where what is offered is directed at minors.
years := data.minors.years[input.subject.age_band]

years := 18 if {
	input.subject.age_band == "unknown"
	input.controller.minors == "no"
}

years := 0 if {
	input.subject.age_band == "unknown"
	input.controller.minors != "no"
}

# METADATA
# title: Opt-out regimes alone
# description: Every law that protects the person asks for notice and an opt-out, not for consent.
opt_out_alone if {
	count(input.subject.regimes) > 0
	every regime in input.subject.regimes {
		data.regimes[regime].choice == "opt_out"
	}
}
