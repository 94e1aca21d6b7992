// Package survivorship makes the golden record of a profile from its records:
// one value for each field, and the lineage that says which record gave it, by
// which rule.
//
// A field's candidates are the records that have a value for it. Its rules
// narrow them in order, each keeping the best (all that tie); a rule that no
// candidate meets keeps all, so later rules are fallbacks as well as
// tie-breakers:
//
//   - source(NAME): those of that source, if there are any.
//   - latest, first: the newest, the oldest observed_at; a record without one
//     counts as the oldest.
//   - most_frequent: those of the value that most of them have.
//   - most_complete: those whose record has the most fields.
//   - longest: those of the value with the most characters.
//
// What ties still is settled by the smallest record id. No rules: latest.
//
// The fields of a group come together from one record, so that a street is never
// joined with another's city. Candidates are the records with at least one field
// of the group; the rules are those given under the group's name, else the
// default; most_frequent compares and longest measures all the group's values
// together, most_complete counts the group's fields. What ties goes to the
// record with the most fields of the group, then to the smallest id. That record
// gives all its fields of the group; one that it lacks stays unknown, even if
// another record has it.
//
// Lineage names the rule that decided: the first after which one value was left
// ("only" if there never was another, "record_id" if no rule told them apart;
// "group_fields" if the number of the group's fields did). The record named is
// the one that wins by all the rules.
//
// Invariants: the result does not depend on the order of the records; a value
// is always one that some record has; an identifier is never dropped.
package survivorship
