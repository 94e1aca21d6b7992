package lakehouse

import (
	"context"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// entry makes the manifest entry of one file: rows, size, and of each column
// counts, nulls and bounds as the footer has them, by field id.
func (l *Lake) entry(ctx context.Context, fs iceio.IO, t *table.Table, key string) (iceberg.DataFile, error) {
	location := l.store.URL(key)
	f, err := table.FileToDataFile(ctx, fs, location, t.Schema(), t.Spec(), 0, t.Properties())
	if err == nil {
		return f, nil
	}
	// The library wants the key of a map of every file, even of one that was
	// written before the map's column was added. So such columns are left out.
	fits, shrunk, again := schemaOfFile(fs, location, t.Schema())
	if again != nil || !shrunk {
		return nil, err
	}
	return table.FileToDataFile(ctx, fs, location, fits, t.Spec(), 0, t.Properties())
}

// schemaOfFile returns the schema without the optional list and map columns that
// the file lacks, and whether there are any.
func schemaOfFile(fs iceio.IO, location string, sc *iceberg.Schema) (_ *iceberg.Schema, shrunk bool, err error) {
	f, err := fs.Open(location)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	r, err := file.NewParquetReader(f)
	if err != nil {
		return nil, false, err
	}
	root := r.MetaData().Schema.Root()
	there := map[int]bool{}
	for i := range root.NumFields() {
		there[int(root.Field(i).FieldID())] = true
	}
	var kept []iceberg.NestedField
	for _, c := range sc.Fields() {
		if _, plain := c.Type.(iceberg.PrimitiveType); plain || c.Required || there[c.ID] {
			kept = append(kept, c)
		}
	}
	return iceberg.NewSchema(sc.ID, kept...), len(kept) < len(sc.Fields()), nil
}
