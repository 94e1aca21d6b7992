package consent.bases

# METADATA
# title: Express consent
# description: Consent that counts as a basis, and was given expressly.
express if {
	"consent" in granted
	input.consent.explicit == "yes"
}

# METADATA
# title: A guardian's consent
# description: Consent that counts as a basis, given by a parent or guardian.
by_guardian if {
	"consent" in granted
	input.consent.guardian == "yes"
}

# METADATA
# title: Not refused
# description: Consent was neither withdrawn nor refused, and this is known. Expired consent was not refused.
not_refused if input.consent.status in {"none", "granted", "expired"}
