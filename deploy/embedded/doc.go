// Package embedded runs the whole platform on one machine, below one folder: a
// Temporal server with its web interface, an S3 store, and a place for the
// Iceberg catalog. Everything listens on the loopback interface alone.
//
// It is the only package that links the Temporal server, its interface and the
// S3 gateway; the rest of Weir reaches them by their addresses, as it would
// reach external ones.
//
// The folder (<project>/.weir):
//
//	lock              held (flock) while a platform runs; says by whom
//	version           of this layout; older ones are upgraded, newer ones refused
//	endpoints.json    where the running platform answers
//	ports.json        the ports of last time, so that addresses stay
//	credentials       of the S3 store, mode 0600
//	temporal-token    that Temporal demands of its clients, mode 0600
//	metrics-token     that weir dev demands at its metrics, mode 0600
//	temporal/         history.db and visibility.db, each on its one connection
//	s3/, metadata/    objects as plain files; their attributes where the file system
//	                  has no extended attributes
//	catalog.db        Iceberg's catalog
//	scratch/          temporary files of child processes, emptied at the start
//	timelines/        profiles and events for live counts; built again where missing
//
// Invariants: one platform per folder (the lock); a platform killed at any
// point starts again with what it had; the S3 child never outlives its parent;
// nobody who can't read the folder learns or changes anything (token.go,
// internode.go, door.go).
//
// # Limits
//
// SQLite has one writer, so this is for one machine: about 50 short workflows
// a second. Measured on two loaded cores, killed by kill -9 with that many
// workflows asleep: the parts answer after 0.8 s (2,000) to 2.2 s (20,000), a
// new refresh of ten parts is done after 5 to 9 s with 2,000, 5,000, 10,000 and
// 20,000 alike. That needs visibility in a file of its own; on one connection
// together with the history, 20,000 did not get going in minutes. What is
// slow is the way there: starting 20,000 workflows takes seven minutes, and
// work that was queued when the process died is queued again after it.
//
// The S3 gateway does not sync its files to the disk, and SQLite syncs at
// checkpoints: a killed process loses nothing, a power failure may lose the last
// seconds. Use external services (lake:, temporal: in weir.yaml) where that is
// not good enough.
package embedded
