package consent.bases

# METADATA
# title: Soft opt-in of a charity
# description: |
#   A charity may write to its supporters about its causes by e-mail or text
#   message, if an opt-out was offered when they gave and in each message since.
#   Unknown facts count as not so.
# labels:
#   code: B7
#   name: soft_opt_in_charity
#   law: "PECR 22(3A), Data (Use and Access) Act 2025"
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: Nothing to do.
# related_resources:
#   - ref: https://www.legislation.gov.uk/ukpga/2025/18
#     description: Data (Use and Access) Act 2025
granted contains "soft_opt_in_charity" if {
	"soft_opt_in_charity" in data.purposes[input.activation.purpose].bases
	input.controller.charity == "yes"
	input.subject.customer == "yes"
	input.subject.opt_out_offered == "yes"
	input.activation.channel in data.settings.soft_opt_in_channels
	not_refused
	count(input.subject.regimes) > 0
	every regime in input.subject.regimes {
		data.regimes[regime].soft_opt_in_charity
	}
}
