package consent.obligations_test

import data.consent.example
import data.consent.obligations

test_none_are_due if count(obligations.due) == 0 with input as example.good
