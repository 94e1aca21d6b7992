// Package scores compares scores with what other tools make of the same public
// data. It is apart from the scores, which link no database.
package scores
