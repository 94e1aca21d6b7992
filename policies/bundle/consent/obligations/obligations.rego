# METADATA
# title: Obligations
# description: |
#   What a destination has to carry out with each row that it is sent, as
#   {"name": …, "value": …}. A destination that can't carry one out is not sent
#   the row. The default policy asks for none; add rules as `due contains …`.
package consent.obligations

# METADATA
# title: Obligations due
# description: The set of obligations of this decision.
due := set()
