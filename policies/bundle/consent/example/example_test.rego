# METADATA
# title: An input for tests
# description: A complete input that is allowed on consent; tests change one thing.
package consent.example

good := {
	"activation": {
		"categories": [],
		"channel": "email",
		"device": "no",
		"effect": "none",
		"human_review": "no",
		"purpose": "marketing.newsletter",
	},
	"consent": {
		"age_days": 30,
		"device_storage": "unknown",
		"explicit": "no",
		"google": "unknown",
		"guardian": "no",
		"proof": "yes",
		"status": "granted",
		"tcf": "unknown",
	},
	"controller": {
		"charity": "no",
		"minors": "no",
	},
	"destination": {
		"country": "FR",
		"dpa": "yes",
		"google": "no",
		"kind": "esp",
		"mechanism": "adequacy",
		"purposes": [
			"marketing.newsletter",
			"service.security",
			"service.transactional",
		],
		"role": "processor",
		"tcf": "no",
		"transfer": "none",
	},
	"subject": {
		"age_band": "adult",
		"customer": "no",
		"erasure": "none",
		"gpc": "no",
		"inactive_days": 3,
		"jurisdictions": [
			"FR",
		],
		"limit_sensitive": "no",
		"objected": "no",
		"opt_out_offered": "no",
		"opted_out": "no",
		"opted_out_ads": "no",
		"opted_out_days": "unknown",
		"opted_out_profiling": "no",
		"regimes": [
			"eu",
		],
		"restricted": "no",
		"suppressed": "no",
		"suppressed_elsewhere": "no",
	},
}

# limit is how long consent to the purpose of `good` holds, as data/retention.yaml has it.
limit := data.retention["marketing.newsletter"].consent_max_age_days

# changed replaces fields of one part.
changed(part, fields) := object.union(good, {part: fields})

# asking is the same person for another purpose.
asking(purpose) := changed("activation", {"purpose": purpose})

# with_all replaces fields of several parts.
with_all(parts) := object.union(good, parts)

# living is somebody who lives there, under these laws, with these facts.
living(jurisdictions, regimes, parts) := object.union(
	with_all({"subject": {"jurisdictions": jurisdictions, "regimes": regimes}}),
	parts,
)

# ads is advertising with others: a list that is shared.
ads := {
	"activation": {"channel": "ads", "purpose": "marketing.ads"},
	"destination": {"kind": "ads", "purposes": ["marketing.ads"], "role": "third_party", "transfer": "share"},
}

# silence is the last day of silence on which their data may be used.
silence := data.retention["marketing.newsletter"].inactive_max_days
