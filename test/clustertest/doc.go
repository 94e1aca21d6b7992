// Package clustertest starts the parts of a cluster for tests, each the real
// program in a process of its own: MinIO, Apache Iceberg's REST catalog, a Temporal
// server (that of an empty project's `weir dev`). Each can be killed (SIGKILL) and
// started again on the same port with the same data, as a machine that comes back.
//
// What is not part of this repository is fetched by `make cluster-env` into
// .cache/cluster, or the folder that WEIR_CLUSTER_CACHE names. Without it tests skip
// and say so; WEIR_REQUIRE_CLUSTER=1 makes them fail.
//
// Neighbours: test/postgrestest starts PostgreSQL, test/e2e/weirtest drives weir.
package clustertest
