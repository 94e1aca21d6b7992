// Package segment computes traits and segment membership, with history.
//
// It writes core.traits, segment.memberships and segment.scores whole and appends
// to segment.changes. What a rule means is in the sub-packages: value (operators),
// timeline (which events count, windows), trait, rule, tally (all of them over
// one profile after the other, or over many by columns), membership (entries, exits
// and their causes), explain, score (traits that are learned from all profiles).
//
// Steps:
//
//	scatter  profiles and prior memberships straight to compute. Where there are few
//	         enough identifiers (toldRows) each process holds all their owners, by
//	         hash, and events go to compute too, in blocks of columns, cut to what
//	         some definition reads: the block names a place of the partition's roster.
//	         Else, or where scores read events, events and owners go to the partition
//	         of their identifier
//	own      identifiers → profile. An event with one identifier is settled here
//	choose   an event with several identifiers goes to the profile of its strongest
//	         unambiguous one (Params.IdentifierOrder, then the kind's and value's
//	         name), so it counts once
//	study    a partition of profiles with the events that scores read: what scores
//	         learn from, and what each profile is scored by. Without scores, nothing
//	learn    one score: its model, told to all partitions
//	relate   a partition of profiles that segments ask about as people of an account,
//	         or accounts of a person, with the events that this reads: how many of
//	         those linked to a profile fit what it asks. Without such segments, nothing
//	compute  a partition of profiles with their events, and their scores
//	keep     the manifest of the index that compute has left, from which the next run may
//	         go on: Increment computes only the profiles that something happened to
//
// Increment is the stage in its place where an index holds: see there, and GoOn for
// when it does.
//
// Events of anonymous profiles are counted for them, but a segment `of: person`
// holds persons only. An event that no profile owns counts for nobody.
//
// Memory: a task of compute holds its partition's profiles and their running
// aggregates, never the events, so a profile of millions of events costs no more
// than another, and one of relate the same and its partition's links; own holds its
// partition's identifiers, choose one small row for
// each of its events with several identifiers. The owners that a process holds take
// some 70 bytes each. A task of an increment holds its partition's profiles, the running
// aggregates of those that it computes, and of memberships the old rows of one segment;
// the owners of what new events carry are held by each process, and by one task those of
// identifiers in files that changed.
//
// Counts, beside the engine's: events_later (later than now: they change the
// outcome once time has passed, even without windows), events_unread,
// events_unowned, events_without_identifier, values_not_numbers,
// currencies_mixed (traits that are unknown for a profile because of it),
// expressions_failed (likewise), sequences_cut (of a profile, a sequence that looks at its latest events only),
// segments_broken, scores_refused, entered, exited; of the index events_indexed and
// index_parts; of an increment computed, kept and profiles_gone. There those of events
// are of the new ones, and what goes by profiles is of those that are computed.
//
// Invariants: the output depends on the inputs, the definitions and now alone, and an
// increment's files are those of a full run, byte for byte (invariant 11); a
// broken definition is reported in ops.quarantine and keeps its members, the
// others go on (invariant 8).
package segment
