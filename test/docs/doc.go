// Package docs holds the test of the documents' examples: every YAML block that
// names its file in its first line is a file of a project, and the project of
// each document must load.
package docs
