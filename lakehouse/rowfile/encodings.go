package rowfile

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/weir-cdp/weir/lakehouse/schema"
)

// createdBy has no version of a library, which would rename every file when the
// library changes. Readers on the JVM ignore statistics where its form is another.
const createdBy = "weir version 1.0.0 (build weir)"

// writerProperties chooses a file's encodings, by its first chunk where the
// declaration does not tell.
func writerProperties(t schema.Table, o options, first arrow.RecordBatch) *parquet.WriterProperties {
	props := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(o.level),
		parquet.WithMaxRowGroupLength(int64(o.groupRows)),
		parquet.WithCreatedBy(createdBy),
		parquet.WithDataPageVersion(parquet.DataPageV1), parquet.WithDataPageSize(pageBytes),
		parquet.WithDictionaryDefault(true),
	}
	for i, c := range t.Columns {
		switch {
		case c.Name == schema.RowID, c.Name == schema.Origin:
			// Each begins as the one before: a tenth of the bytes to compress.
			props = append(props, parquet.WithDictionaryFor(c.Name, false), parquet.WithEncodingFor(c.Name, parquet.Encodings.DeltaByteArray))
		case unique(t, c), varied(first.Column(i)):
			props = append(props, parquet.WithDictionaryFor(c.Name, false))
		}
		if _, _, ok := c.Type.KeyValue(); ok { // keys repeat, values rarely
			props = append(props, parquet.WithDictionaryFor(c.Name+".key_value.value", false),
				parquet.WithDictionaryFor(c.Name+".key_value.value.list.element", false))
		}
	}
	return parquet.NewWriterProperties(props...)
}

// unique guesses the columns whose values hardly repeat or are small: a
// dictionary of them costs more time than it saves space.
func unique(t schema.Table, c schema.Column) bool {
	if c.Type != schema.Text && c.Type != schema.Binary {
		return c.Type.Subs() == 0 // numbers and times pack well plain
	}
	for _, end := range []string{"record_id", "event_id", "consent_id", "decision_id", "delivery_id", "_hash", "checksum",
		"delivered_key", "identifier_value"} {
		if strings.HasSuffix(c.Name, end) {
			return true
		}
	}
	return len(t.Key) == 1 && slices.Contains(t.Key, c.Name)
}

// varied says that more than half of a column's texts are the first of their
// kind. Such a column outgrows its dictionary, which was then for nothing.
func varied(a arrow.Array) bool {
	const few = 256 // tell nothing, and cost nothing
	if a.Len()-a.NullN() < few {
		return false
	}
	texts, ok := a.(array.BinaryLike)
	if !ok {
		return false
	}
	seen := make(map[string]struct{}, a.Len())
	for i := range texts.Len() {
		if texts.IsValid(i) {
			seen[text(texts, i)] = struct{}{}
		}
	}
	return 2*len(seen) > a.Len()-a.NullN()
}

func text(a array.BinaryLike, i int) string {
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Binary:
		return a.ValueString(i)
	}
	return ""
}
