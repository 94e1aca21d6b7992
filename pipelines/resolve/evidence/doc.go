// Package evidence says what a record tells about who it is: the keys under
// which it meets other records, and which values are worth nothing.
//
// # Keys
//
// Every value of an identifier is a key (rule same_<identifier>) unless the
// identifier has `link: false`; every match rule gives a key of its parts'
// normalised values. Records that share a key are evidence for each other. A
// part without a value gives no key: missing values never match. Person and
// account records never share a key.
//
// # Strength
//
// An identifier's or rule's strength is 20 + 20/(1+p) log2 odds, p its place:
// identifiers in the order of their declaration, then match rules in theirs.
// The first declared is the strongest; all are stronger than any likely
// probabilistic score. An identifier that is not declared links with 20.
//
// # Worthless values
//
// Blocked: the project's regular expressions and a built-in list of
// placeholders, zeros, repeated digits and shared mailboxes. Contradicted: a
// record that by itself holds more values than an identifier's hard limit; which
// of them is right is unknown, so none is used. Hub: a value that records of
// more than `shared_by` people hold; see Weigh.
//
// The package imports only the nouns and keeps no state: it serves one record
// online as well as a block of them.
//
// Neighbours: package cluster takes the groups, package resolve moves them.
package evidence
