# METADATA
# title: An input for tests
# description: A complete input that is allowed on consent; tests change one thing.
package consent.example

good := {
	"activation": {"categories": [], "channel": "email", "purpose": "marketing.newsletter"},
	"consent": {"age_days": 30, "explicit": "no", "proof": "yes", "status": "granted"},
	"destination": {
		"country": "FR",
		"dpa": "yes",
		"kind": "esp",
		"mechanism": "adequacy",
		"purposes": [
			"marketing.newsletter",
			"service.security",
			"service.transactional",
		],
		"role": "processor",
		"transfer": "none",
	},
	"subject": {
		"age_band": "adult",
		"erasure": "none",
		"gpc": "no",
		"inactive_days": 3,
		"jurisdictions": ["FR"],
		"objected": "no",
		"opted_out": "no",
		"regimes": ["eu"],
		"restricted": "no",
	},
}

# limit is how long consent to the purpose of `good` holds, as data/retention.yaml has it.
limit := data.retention["marketing.newsletter"].consent_max_age_days

# changed replaces fields of one part.
changed(part, fields) := object.union(good, {part: fields})

# asking is the same person for another purpose.
asking(purpose) := changed("activation", {"purpose": purpose})
