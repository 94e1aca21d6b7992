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
//	temporal/         history.db and visibility.db, each on its one connection
//	s3/, metadata/    objects as plain files; their attributes where the file system
//	                  has no extended attributes
//	catalog.db        Iceberg's catalog
//	scratch/          temporary files of child processes, emptied at the start
//
// Invariants: one platform per folder (the lock); a platform killed at any
// point starts again with what it had; the S3 child never outlives its parent.
//
// # Limits
//
// SQLite has one writer, so this is for one machine: some 30 to 60 short
// workflows a second. After kill -9, the time until work goes on grows with the
// workflows that were running: the package's tests hold it under 15 s for 2,000;
// docs/operations.md has the measured figures for more. The S3 gateway does not
// sync its files to the disk: a killed process loses nothing, a power failure
// may lose the objects of the last seconds. Use external services (lake:,
// temporal: in weir.yaml) where that is not good enough.
package embedded
