// Package explain says why two records are one profile, or why they are not,
// from the stored edges (identity.edges) of their component.
package explain
