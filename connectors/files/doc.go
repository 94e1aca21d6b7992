// Package files reads and writes files in a folder of this machine or in an
// S3-compatible bucket.
//
// As a source it reads CSV, NDJSON, JSON, XML and Parquet, plain or compressed
// by gzip or zstd. Each file is one split and one scope: only files that are new
// or changed are read, a changed file replaces its rows, and a vanished file
// keeps them. A CSV file that lacks even its header is refused, and so is a
// pattern that no file matches, unless the stream may be empty. Reading takes constant memory whatever the file's size.
//
// Columns: nested JSON objects and XML elements get dotted names (traits.email),
// XML attributes their own name; lists, and XML elements that repeat within
// their parent, are JSON text. Of a name that repeats in a JSON object the last
// value counts. In CSV an empty field is null and a quoted empty one is an empty
// text; in Parquet a time without a zone is taken for UTC, elsewhere for the
// project's time zone.
//
// As a destination it writes one file per activation's run: parts while batches
// arrive, published whole when the run finishes.
//
// Invariants: nothing outside of the configured folder is opened, by path or by
// symbolic link (os.Root); the same file gives the same rows in the same order;
// one bad row is one rejection with file and line (invariant 8); a file that
// can't be read to its end fails its split, and no other's; values keep their
// exact text unless the stream declares a type.
//
// The CSV parser is our own: encoding/csv makes a string of every value (about
// 60 MB/s here), gives up on a bad row, and knows no limit of a row's length.
// This one finds line, delimiter and quote by bytes.IndexByte and copies values
// straight into Arrow columns. JSON is read by jsontext (encoding/json/v2's
// tokenizer): strict on UTF-8, nesting and repeated keys, and it keeps each
// literal as written; simdjson-go needs AVX2, fastjson and jsonparser accept
// what is not JSON, goccy/go-json loses literals.
//
// Neighbours: package connectors (the SPI), connectors/connectortest (the suite
// that this package passes).
package files
