package lakehouse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
)

// emptyFile writes a Parquet file without rows into a scope: the scope's version
// is then in the table like any other, however many there are, and needs no
// property. One that the scope holds already serves, so that the same again is
// no change; else the same schema gives the same bytes and name.
func (l *Lake) emptyFile(ctx context.Context, name, scope string, held map[string]iceberg.DataFile, sc *iceberg.Schema) (weir.DataFile, error) {
	for _, key := range slices.Sorted(maps.Keys(held)) {
		if s, ok := scopeOf(name, key); ok && s == scope && held[key].Count() == 0 {
			return weir.DataFile{Path: key, Bytes: held[key].FileSizeBytes()}, nil
		}
	}
	fields, err := table.SchemaToArrowSchema(sc, nil, true, false)
	if err != nil {
		return weir.DataFile{}, failed("write empty file of", name, err)
	}
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(fields, &buf, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return weir.DataFile{}, failed("write empty file of", name, err)
	}
	f := weir.DataFile{
		Path:  scopeFolder(name, scope) + "/" + contentName(buf.Bytes()),
		Bytes: int64(buf.Len()),
	}
	return f, l.store.Put(ctx, f.Path, &buf, f.Bytes)
}

// contentName names a data file by its bytes.
func contentName(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]) + ".parquet"
}
