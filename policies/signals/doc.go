// Package signals reads the consent signals that browsers and consent managers
// send: IAB TCF 2 (2.3's disclosed vendors included), GPP with the section of
// every state of the United States, the US Privacy string, Global Privacy
// Control, and Google's consent mode.
//
// It is pure: texts in, facts out. What can't be read is Unreadable, and whoever
// asks must take it for the strictest answer (invariant 6): a signal that is not
// understood is no consent.
//
// Neighbours: package policies asks it while it describes a person; package
// consents folds the entries that Expand makes of a signal.
//
// Strings are decoded by prebid/go-gdpr (TCF core), LiveRamp/iabconsent (TCF's
// disclosed vendors) and prebid/go-gpp (GPP's header and sections). go-gpp knows
// six of the states' sections; all are read here by IAB's published layouts, and
// checked against go-gpp on those six.
package signals
