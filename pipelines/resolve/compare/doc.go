// Package compare says how alike two values are, as one of a few levels.
//
// A value is prepared once (folded, measured, coded) and then compared many
// times: comparing two prepared values allocates nothing. The kinds are name,
// date, text, email, phone, postcode, place, number, company and exact; Levels
// lists the levels of each, from "exact" to "differ". A missing value has no level: it
// carries no evidence.
//
// A level says how values agree, never what that is worth: package model holds
// the weights. Comparing is symmetric.
//
// The string comparators follow Winkler (1990) for names and the restricted
// edit distance of Damerau (1964) for slips of the fingers. The distances and
// the phonetic code are our own: the libraries at hand allocate for every pair,
// and a run compares tens of millions of them.
//
// Nicknames are those of github.com/carltonnorthern/nicknames (Apache-2.0), in
// nicknames.txt; see NOTICE in this folder. They are English: what other
// languages shorten is caught by the levels "near", "initial" and "close".
//
// Neighbours: package company folds the names of companies, package model prepares
// a record's values and weighs their levels, package train chooses a kind for each
// column.
package compare
