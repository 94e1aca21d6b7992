package consent.bases

# METADATA
# title: Soft opt-in
# description: |
#   Own products like those that the person bought here, by e-mail or text message,
#   if an opt-out was offered at the sale and in each message since. Every law that
#   protects the person must know this basis. Unknown facts count as not so, and
#   nobody who refused or withdrew consent is written to on it.
# labels:
#   code: B3
#   name: soft_opt_in
#   law: ePrivacy Directive Art. 13(2); PECR 22(3)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Nothing to do.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/dir/2002/58/oj
#     description: ePrivacy Directive, Article 13
granted contains "soft_opt_in" if {
	"soft_opt_in" in data.purposes[input.activation.purpose].bases
	input.subject.customer == "yes"
	input.subject.opt_out_offered == "yes"
	input.activation.channel in data.settings.soft_opt_in_channels
	not_refused
	count(input.subject.regimes) > 0
	every regime in input.subject.regimes {
		data.regimes[regime].soft_opt_in
	}
}
