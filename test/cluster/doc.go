// Package cluster tests weir on parts that others run: an S3 service, an Iceberg REST
// catalog and a Temporal server, each a process of its own (test/clustertest), with
// several workers, parts that are away, and keys that may not do what they should.
//
// Neighbours: test/e2e tests the embedded platform; both drive the real program.
package cluster
