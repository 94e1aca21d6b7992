// Package project reads the project directory, the user's interface (design,
// section 4): weir.yaml, sources/, identity.yaml, traits/, segments/,
// destinations/, activations/ and policies/. It checks every key and every
// reference, names file, line and the nearest known name, and reports all
// problems at once.
//
// A Project is plain data: it is stored as JSON in the lake (`weir apply`), so
// that workers elsewhere follow the same definitions. Secrets stay references
// (${env:NAME}, ${file:PATH}) until a connector is opened (Resolve).
//
// Invariants: unknown keys are errors; nothing is read outside the directory;
// a secret's value is never part of a Project (invariant 10).
//
// Neighbours: connectors describe their own settings, which are checked against
// them; stages take the definitions.
package project
