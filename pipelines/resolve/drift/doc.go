// Package drift says how far the records of today are from those that a model was
// trained on.
//
// A model froze how many records hold each column, and how often two random
// records show each level of agreement (its u). When either changes, its weights
// are no longer right: a column that few still fill brings recall down, a value
// that became common makes strangers look the same.
//
// What matches show (m) can't be watched so: nobody knows the matches.
//
// Neighbours: package model is what is compared with, package resolve draws the
// records and writes the figures to identity.runs.
package drift
