package stages

import (
	"context"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// parallelSplits is how many splits of a stream are read at once.
const parallelSplits = 2

const quarantineTable = "ops.quarantine"

// The operations of a raw row.
const (
	opUpsert = "upsert"
	opDelete = "delete" // its source says that it is gone
	opFormer = "former" // its source no longer tells it: see formerScope
)

// landed is what one split left in the object store. It is written when the
// split is whole, so that a crash reads only the others again.
type landed struct {
	Files      []weir.DataFile `json:"files"`
	Quarantine []weir.DataFile `json:"quarantine"`
	Rows       int64           `json:"rows"`
	Rejected   int64           `json:"rejected"`
	Withheld   int64           `json:"withheld"`
	Failed     string          `json:"failed,omitempty"` // the split can't be used; others go on
}

func (c *collect) Run(ctx context.Context, key string, progress func(weir.Progress)) (string, error) {
	started := c.Clock()
	var sp collectSpec
	if err := c.readJSON(ctx, key, &sp); err != nil {
		return "", err
	}
	part := sp.Source + "/" + sp.Stream
	source, stream, err := c.stream(ctx, sp.Run, part)
	if err != nil {
		return "", err
	}
	src, err := c.open(ctx, sp.Run, source)
	if err != nil {
		return "", err
	}
	defer src.Close()
	conn, err := c.streamSettings(source, stream)
	if err != nil {
		return "", err
	}
	raw, err := openRaw(ctx, c.Lake, sp.Table)
	if err != nil {
		return "", err
	}
	token, err := begin(ctx, src, conn, sp.Plan)
	if err != nil {
		return "", err
	}
	done := make([]landed, len(sp.Plan.Splits))
	tell := meter(sp.Plan.Splits, progress)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelSplits)
	for i, split := range sp.Plan.Splits {
		g.Go(func() error {
			l := &landing{collect: c, spec: &sp, src: src, stream: conn, split: split, token: token, raw: raw, tell: tell}
			var err error
			done[i], err = l.land(gctx)
			tell(split, 0, true)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	r, err := c.gather(ctx, sp, done)
	if err != nil {
		return "", err
	}
	r.StartedAt = started
	out := runPrefix(sp.Run, weir.Collect, part) + "result.json"
	return out, c.writeJSON(ctx, out, r)
}

// begin fixes what all splits of a plan read, where the source needs that.
func begin(ctx context.Context, src connectors.Source, stream connectors.Stream, p connectors.Plan) (token string, err error) {
	if s, ok := src.(connectors.Session); ok {
		return s.Begin(ctx, stream, p)
	}
	return "", nil
}

// meter turns what splits report into progress, one call at a time.
func meter(splits []connectors.Split, progress func(weir.Progress)) func(connectors.Split, int64, bool) {
	var mu sync.Mutex
	var rows int64
	finished := 0
	return func(s connectors.Split, n int64, whole bool) {
		mu.Lock()
		defer mu.Unlock()
		rows += n
		if whole {
			finished++
		}
		progress(weir.Progress{Done: rows, Unit: "rows", Note: strconv.Itoa(finished) + "/" + strconv.Itoa(len(splits)) + " splits"})
	}
}

// landing reads one split into files. It is the connector's Sink.
type landing struct {
	*collect
	spec   *collectSpec
	src    connectors.Source
	stream connectors.Stream
	split  connectors.Split
	token  string // of the source's session, if it needs one
	raw    *rawTable
	tell   func(connectors.Split, int64, bool)

	out        landed
	table      schema.Table
	columns    *arrow.Schema
	w          *rowfile.ArrowWriter
	quarantine *rowfile.TableWriter[weir.Quarantined]

	upserts, collected arrow.Array // columns that each batch has; kept, not counted
}

// land reads the split unless an earlier try already has.
func (l *landing) land(ctx context.Context) (landed, error) {
	key := runPrefix(l.spec.Run, weir.Collect, l.spec.Source+"/"+l.spec.Stream) + "splits/"
	if l.token != "" {
		key += url.PathEscape(l.token) + "/" // what another session read may not agree
	}
	key += url.PathEscape(l.split.ID) + ".json"
	if err := l.readJSON(ctx, key, &l.out); err == nil {
		return l.out, nil
	} else if weir.CodeOf(err) != weir.NotFound {
		return l.out, err
	}
	err := l.read(ctx)
	if err != nil {
		if err = l.giveUp(ctx, err); err != nil {
			return l.out, err
		}
	}
	if l.w != nil {
		files, err := l.w.Close()
		if err != nil {
			return l.out, err
		}
		l.out.Files = append(l.out.Files, files...)
	}
	if l.quarantine != nil {
		if l.out.Quarantine, err = l.quarantine.Close(); err != nil {
			return l.out, err
		}
	}
	return l.out, l.writeJSON(ctx, key, l.out)
}

// read lets the connector read. Its panic fails the stream, not the process with
// everybody else's work (invariant 8).
func (l *landing) read(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			l.Log.ErrorContext(ctx, "a connector panicked", "source", l.spec.Source, "stream", l.spec.Stream, "stack", string(debug.Stack()))
			err = weir.Errorf(weir.Internal, "a defect of the connector stopped the read").Then("see the log of the worker, and report it")
		}
	}()
	return l.src.Read(ctx, l.stream, l.spec.Plan, l.split, l)
}

// giveUp decides what a failed read means: a split of its own scope that can
// never be read is reported and left out; anything else fails the stream.
func (l *landing) giveUp(ctx context.Context, cause error) error {
	if l.w != nil {
		l.w.Abort()
		l.w = nil
	}
	if weir.CodeOf(cause) != weir.Invalid || l.split.Scope == "" || ctx.Err() != nil {
		if l.quarantine != nil {
			l.quarantine.Abort()
		}
		return cause
	}
	l.out = landed{Failed: cause.Error(), Rejected: l.out.Rejected, Withheld: l.out.Withheld}
	return l.Reject(ctx, connectors.Rejection{Origin: l.split.Scope, Reason: cause.Error(), Withheld: true})
}

// Write implements connectors.Sink.
func (l *landing) Write(ctx context.Context, b connectors.Batch) error {
	if b.Rows.NumRows() == 0 {
		return nil
	}
	table, err := l.raw.admit(ctx, b.Rows.Schema())
	if err != nil {
		return err
	}
	if l.w == nil || !slices.EqualFunc(l.table.Columns, table.Columns, func(a, b schema.Column) bool { return a.Name == b.Name && a.Type == b.Type }) {
		if err := l.roll(ctx, table); err != nil {
			return err
		}
	}
	rec, err := l.complete(ctx, b)
	if err != nil {
		return err
	}
	defer rec.Release()
	l.out.Rows += b.Rows.NumRows()
	l.tell(l.split, b.Rows.NumRows(), false)
	return l.w.Write(rec)
}

// roll starts a new file with the table's present columns.
func (l *landing) roll(ctx context.Context, table schema.Table) error {
	if l.w != nil {
		files, err := l.w.Close()
		if err != nil {
			return err
		}
		l.out.Files, l.w = append(l.out.Files, files...), nil
	}
	columns, err := table.Arrow()
	if err != nil {
		return err
	}
	scope := ""
	if l.split.Scope != "" {
		scope = scoped(l.split)
	}
	l.table, l.columns = table, columns
	l.w, err = rowfile.NewArrowWriter(ctx, l.store(), table, columns, scope)
	return err
}

// complete gives a batch the table's columns, Weir's own among them.
func (l *landing) complete(ctx context.Context, b connectors.Batch) (arrow.RecordBatch, error) {
	n := int(b.Rows.NumRows())
	cols := make([]arrow.Array, len(l.columns.Fields()))
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, f := range l.columns.Fields() {
		switch f.Name {
		case "_weir_row_id":
			cols[i] = texts(n, len(l.split.ID)+8, func(b []byte, r int) []byte {
				return strconv.AppendInt(append(append(b, l.split.ID...), '#'), l.out.Rows+int64(r), 10)
			})
		case "_weir_origin":
			cols[i] = texts(n, len(b.Origin)+8, func(to []byte, r int) []byte { return appendOrigin(to, b, r) })
		case "_weir_op":
			cols[i] = l.ops(b, n)
		case "_weir_collected_at":
			cols[i] = l.moments(f.Type, n)
		default:
			at := indexOf(b.Rows.Schema(), f.Name)
			if at < 0 {
				cols[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, n)
				continue
			}
			c, err := l.drifted(ctx, b, b.Rows.Column(at), f)
			if err != nil {
				return nil, err
			}
			cols[i] = c
		}
	}
	return array.NewRecordBatch(l.columns, cols, int64(n)), nil
}

// ops says what each row does. Those of a batch without deletions are all the same.
func (l *landing) ops(b connectors.Batch, n int) arrow.Array {
	op := func(to []byte, r int) []byte {
		if b.Deleted != nil && b.Deleted[r] {
			return append(to, opDelete...)
		}
		return append(to, opUpsert...)
	}
	if b.Deleted != nil {
		return texts(n, len(opUpsert), op)
	}
	if l.upserts == nil || l.upserts.Len() < n {
		l.upserts = texts(n, len(opUpsert), op)
	}
	return array.NewSlice(l.upserts, 0, int64(n))
}

// moments says of each row when the run that collected it began.
func (l *landing) moments(t arrow.DataType, n int) arrow.Array {
	if l.collected == nil || l.collected.Len() < n {
		l.collected = instants(n, t, l.spec.CollectedAt)
	}
	return array.NewSlice(l.collected, 0, int64(n))
}

func origin(b connectors.Batch, row int) string { return string(appendOrigin(nil, b, row)) }

func appendOrigin(to []byte, b connectors.Batch, row int) []byte {
	if to = append(to, b.Origin...); b.Lines == nil {
		return to
	}
	return strconv.AppendInt(append(to, ':'), b.Lines[row], 10)
}

// texts builds a column of n texts; add appends a row's to what it is given.
// Their buffers are filled in place: of a wide table this column is nothing, of
// a narrow one much of the work.
func texts(n, guess int, add func(to []byte, row int) []byte) arrow.Array {
	data, offsets := make([]byte, 0, n*guess), make([]int32, n+1)
	for r := range n {
		data = add(data, r)
		offsets[r+1] = int32(len(data))
	}
	d := array.NewData(arrow.BinaryTypes.String, n, []*memory.Buffer{nil,
		memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(data)}, nil, 0, 0)
	defer d.Release()
	return array.NewStringData(d)
}

func instants(n int, t arrow.DataType, at time.Time) arrow.Array {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, t.(*arrow.TimestampType))
	defer b.Release()
	b.Reserve(n)
	for range n {
		b.UnsafeAppend(arrow.Timestamp(at.UnixMicro()))
	}
	return b.NewArray()
}

// Reject implements connectors.Sink: what can't be used goes to ops.quarantine.
func (l *landing) Reject(ctx context.Context, r connectors.Rejection) error {
	if l.quarantine == nil {
		t, err := l.Lake.Ensure(ctx, schema.Named(quarantineTable))
		if err != nil {
			return err
		}
		if l.quarantine, err = rowfile.NewTableWriter[weir.Quarantined](ctx, l.store(), t, l.spec.quarantine(l.split.Scope)); err != nil {
			return err
		}
	}
	l.out.Rejected++
	if r.Withheld {
		l.out.Withheld++
	}
	return l.quarantine.Write(weir.Quarantined{RunID: l.spec.Run.ID, Stage: weir.Collect, Source: l.spec.Source, Stream: l.spec.Stream,
		Origin: r.Origin, Field: r.Field, Reason: r.Reason, Excerpt: r.Excerpt, Withheld: r.Withheld, At: l.spec.Run.Now})
}
