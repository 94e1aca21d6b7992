package consent.obligations_test

import data.consent.example
import data.consent.obligations

link := {"name": "include_optout_link", "value": "yes"}

parts := {"name": "partition_by_class", "value": "yes"}

test_none_are_due if count(obligations.due) == 0 with input as example.good

test_google_apart if obligations.due == {parts} with input as object.union(example.good, {"destination": {"google": "yes"}})

customer := object.union(example.good, {
	"activation": {"purpose": "marketing.own_similar"},
	"consent": {"status": "none"},
	"destination": {"purposes": ["marketing.own_similar"]},
	"subject": {"customer": "yes", "opt_out_offered": "yes"},
})

test_soft_opt_in_with_a_link if obligations.due == {link} with input as customer
	with data.settings.soft_opt_in_link as true

test_charity_with_a_link if obligations.due == {link} with data.consent.decision.basis as "soft_opt_in_charity"
	with input as example.good
	with data.settings.soft_opt_in_link as true

test_soft_opt_in_is_trusted if count(obligations.due) == 0 with input as customer

test_consent_needs_no_link if count(obligations.due) == 0 with input as example.good
	with data.settings.soft_opt_in_link as true
