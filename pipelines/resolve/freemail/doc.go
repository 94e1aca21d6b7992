// Package freemail knows the e-mail domains that say nothing of an employer:
// those of providers that give mailboxes to everybody, of access providers that
// give them to their subscribers, and of throw-away mailboxes.
//
// domains.txt is the list, one registered domain a line, `name.*` for a provider's
// name under any public suffix (yahoo.*: yahoo.com, yahoo.co.uk, yahoo.fr). It was
// written for this project from what the providers themselves offer, and is under
// the project's licence; nothing is copied from another list. It is kept by
// additions: a domain that is missing shows up as an account with far more people
// than it can employ, goes into `free_mail` of the project's identity.yaml at once,
// and into the list by a change to the file, which a test keeps sorted and free of
// repeats.
//
// The package is pure. Neighbour: package evidence, which asks it with a project's
// own additions.
package freemail
