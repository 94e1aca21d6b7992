package consent.question_test

import data.consent.example
import data.consent.question

test_advertising_by_its_purpose if {
	question.advertising with input as example.asking("marketing.ads")
	count({1 | question.advertising}) == 0 with input as example.good
}

test_advertising_by_sharing if {
	question.advertising with input as example.changed("destination", {"transfer": "share"})
	question.advertising with input as example.changed("destination", {"kind": "ads_match"})
}

test_years[case] if {
	some case, x in {
		"known": {"age": "age_15", "minors": "no", "years": 15},
		"known, for minors": {"age": "age_15", "minors": "yes", "years": 15},
		"known, perhaps for minors": {"age": "adult", "minors": "unknown", "years": 18},
		"unknown": {"age": "unknown", "minors": "no", "years": 18},
		"unknown, for minors": {"age": "unknown", "minors": "yes", "years": 0},
		"unknown, perhaps for minors": {"age": "unknown", "minors": "unknown", "years": 0},
	}
	question.years == x.years with input as example.with_all({
		"controller": {"minors": x.minors},
		"subject": {"age_band": x.age},
	})
}

# What is listed as harmless is neither; what is not listed is both.
test_categories if {
	asked := {"activation": {"categories": ["a", "b", "c", "d"]}}
	known := {"a": {"special": true, "sensitive": false}, "b": {"special": false, "sensitive": true}, "c": {"special": false, "sensitive": false}}
	question.special == {"a", "d"} with input as example.with_all(asked) with data.categories as known
	question.sensitive == {"b", "d"} with input as example.with_all(asked) with data.categories as known
}
