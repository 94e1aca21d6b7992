package rowfile

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// fileWriter turns record batches into content-addressed data files. Batches
// must be cut at the same rows every time: pages and row groups end with them.
type fileWriter struct {
	ctx    context.Context // of the writer that owns it
	store  *object.Store
	dir    string
	schema *arrow.Schema
	props  *parquet.WriterProperties
	opts   options

	sink  *sink
	pq    *pqarrow.FileWriter
	group int  // rows of the open row group
	full  bool // the next batch begins another row group
	rows  int64
	done  []weir.DataFile
}

func newFileWriter(ctx context.Context, s *object.Store, t schema.Table, scope string, opts []Option) (*fileWriter, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	as, err := t.Arrow()
	if err != nil {
		return nil, err
	}
	o := newOptions(opts)
	return &fileWriter{ctx: ctx, store: s, dir: DataDir(t.Name) + "/" + ScopeDir(scope), schema: as,
		props: writerProperties(t, o), opts: o}, nil
}

// createdBy has no version of a library, which would rename every file when the
// library changes. Readers on the JVM ignore statistics where its form is another.
const createdBy = "weir version 1.0.0 (build weir)"

func writerProperties(t schema.Table, o options) *parquet.WriterProperties {
	props := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(o.level),
		parquet.WithMaxRowGroupLength(int64(o.groupRows)),
		parquet.WithCreatedBy(createdBy),
		parquet.WithDataPageVersion(parquet.DataPageV1),
		parquet.WithDictionaryDefault(true),
	}
	for _, c := range t.Columns {
		if unique(t, c) {
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
		"delivered_key", "identifier_value", schema.RowID, schema.Origin} {
		if strings.HasSuffix(c.Name, end) {
			return true
		}
	}
	return len(t.Key) == 1 && slices.Contains(t.Key, c.Name)
}

func (w *fileWriter) write(rec arrow.RecordBatch) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.pq == nil {
		w.sink = newSink(w.opts.spill, true)
		pq, err := pqarrow.NewFileWriter(w.schema, w.sink, w.props,
			pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(memory.DefaultAllocator)))
		if err != nil {
			return w.failed(err)
		}
		w.pq = pq
	}
	if w.full {
		if err := w.pq.NewBufferedRowGroupChecked(); err != nil {
			return w.failed(err)
		}
		w.full = false
	}
	if err := w.pq.WriteBuffered(rec); err != nil {
		return w.failed(err)
	}
	w.rows += rec.NumRows()
	w.group += int(rec.NumRows())
	if w.group < w.opts.groupRows && w.pq.RowGroupTotalBytesWritten() < groupBytes {
		return nil
	}
	w.group, w.full = 0, true
	if w.sink.size+w.pq.RowGroupTotalCompressedBytes() >= w.opts.fileBytes {
		return w.finish()
	}
	return nil
}

// finish closes the open file and publishes it.
func (w *fileWriter) finish() error {
	if w.pq == nil {
		return nil
	}
	err := w.pq.Close()
	defer w.discard()
	if err != nil {
		return w.failed(err)
	}
	key, err := w.sink.publishByContent(w.ctx, w.store, w.dir)
	if err != nil {
		return err
	}
	w.done = append(w.done, weir.DataFile{Path: key, Rows: w.rows, Bytes: w.sink.size})
	return nil
}

// discard drops the open file.
func (w *fileWriter) discard() {
	if w.sink != nil {
		w.sink.discard()
	}
	w.sink, w.pq, w.rows, w.group, w.full = nil, nil, 0, 0, false
}

func (w *fileWriter) failed(err error) error {
	if err == nil || weir.CodeOf(err) != weir.Internal {
		return err
	}
	return weir.Errorf(weir.Internal, "can't write Parquet: %w", err).At(w.dir)
}
