// Package company makes the names of companies comparable.
//
// Fold takes off what differs between two spellings of one name: the legal form
// (GmbH, S.A.R.L., Pty Ltd, ООО, 株式会社), case, accents, punctuation, "&" and
// "and", a leading "the". The name that people are shown stays as it is; what is
// folded lives only as long as a comparison.
//
// Two companies of one group may differ in their legal form alone, so a folded
// name is evidence beside something else: a postcode, a country, a domain. Split
// gives the forms too, for who wants to weigh them.
//
// # Sources
//
// The forms are those of the Entity Legal Forms list (ISO 20275, published by
// GLEIF) that companies put into their names, with the abbreviations in use,
// written down by us; forms.go has them by language.
//
// Invariants: the result depends on the text alone; a name that is nothing but a
// legal form folds to "".
//
// The package is pure. Neighbours: evidence folds names for rules with it, the
// comparison type `company` of a model its values.
package company
