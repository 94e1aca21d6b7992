// Package scratch writes the rows that one step of a pipeline sends to another,
// as blocks of bytes that lie one after the other in an object.
//
// A block holds rows of one struct type: a header (magic, the type's
// fingerprint, the number of rows, the size before compression, a checksum), then
// the rows, compressed by S2. A reader that knows a block's place reads it
// alone, with one request.
//
// Scratch lives for one run and is read by the program that wrote it, once: so
// the layout is the rows' own, field by field, and not Parquet, whose columns,
// dictionaries and statistics cost more here than everything that a step
// computes. What others read is Parquet (package lakehouse/rowfile).
//
// # Invariants
//
// Equal rows give equal bytes. A block that is cut short, damaged or of another
// type is an error, never other rows.
//
// Neighbours: package pipelines sends references to blocks, which lie in the object
// store or, where everything is on one machine, in a Folder.
package scratch
