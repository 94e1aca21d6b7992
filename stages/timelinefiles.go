package stages

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pqfile "github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/live"
)

// timelineFiles reads timelines. It implements live.Source: a block is a row group
// of profiles.
type timelineFiles struct {
	dir    string
	index  timelineIndex
	blocks []int64 // where each block's events begin, and the last one's end
	groups []int64 // likewise of the row groups of events
}

// openTimelines reads what is needed to find blocks.
func openTimelines(dir string) (*timelineFiles, error) {
	t := &timelineFiles{dir: dir, blocks: []int64{0}, groups: []int64{0}}
	text, err := os.ReadFile(filepath.Join(dir, timelineIndexFile))
	if err == nil {
		err = json.Unmarshal(text, &t.index)
	}
	if err != nil {
		return nil, t.damaged(err)
	}
	profiles, err := t.open(timelineProfilesFile)
	if err != nil {
		return nil, err
	}
	defer profiles.close()
	for g := range profiles.groups() {
		counts, err := profiles.numbers(context.Background(), g, "events")
		if err != nil {
			return nil, t.damaged(err)
		}
		sum := t.blocks[g]
		for _, n := range counts {
			sum += n
		}
		t.blocks = append(t.blocks, sum)
	}
	events, err := t.open(timelineEventsFile)
	if err != nil {
		return nil, err
	}
	defer events.close()
	for g := range events.groups() {
		t.groups = append(t.groups, t.groups[g]+events.file.MetaData().RowGroup(g).NumRows())
	}
	if t.groups[len(t.groups)-1] != t.index.Events || t.blocks[len(t.blocks)-1] != t.index.Events {
		return nil, t.damaged(nil)
	}
	return t, nil
}

func (t *timelineFiles) damaged(err error) error {
	if err == nil {
		return weir.Errorf(weir.Internal, "the timelines are damaged").At(t.dir).Then("remove the folder; it is built again")
	}
	return weir.Errorf(weir.Internal, "the timelines are damaged: %w", err).At(t.dir).Then("remove the folder; it is built again")
}

// Blocks implements live.Source.
func (t *timelineFiles) Blocks() int { return len(t.blocks) - 1 }

// Names implements live.Source.
func (t *timelineFiles) Names() []string { return t.index.Names }

// Read implements live.Source.
func (t *timelineFiles) Read(ctx context.Context, n int, r live.Reads) (*live.Block, error) {
	f, err := t.open(timelineProfilesFile)
	if err != nil {
		return nil, err
	}
	defer f.close()
	b := &live.Block{}
	if b.IDs, err = f.texts(ctx, n, "profile_id"); err == nil {
		b.Kinds, err = f.texts(ctx, n, "kind")
	}
	for _, name := range r.Attributes {
		var column []string
		if i := slices.Index(t.index.Attributes, name); err == nil && i >= 0 {
			column, err = f.texts(ctx, n, "a"+strconv.Itoa(i))
		} else {
			column = make([]string, len(b.IDs)) // no record has it
		}
		b.Attributes = append(b.Attributes, column)
	}
	if err == nil && r.Events {
		var counts []int64
		if counts, err = f.numbers(ctx, n, "events"); err == nil {
			b.First = make([]int64, len(counts)+1)
			for i, c := range counts {
				b.First[i+1] = b.First[i] + c
			}
			err = t.readEvents(ctx, n, r, b)
		}
	}
	if err != nil && ctx.Err() == nil {
		return nil, t.damaged(err)
	}
	return b, err
}

// readEvents reads the events of a block, which lie in some row groups on end.
func (t *timelineFiles) readEvents(ctx context.Context, n int, r live.Reads, b *live.Block) error {
	f, err := t.open(timelineEventsFile)
	if err != nil {
		return err
	}
	defer f.close()
	b.Properties = make([][]string, len(r.Properties))
	from, until := t.blocks[n], t.blocks[n+1]
	for g := range len(t.groups) - 1 {
		lo, hi := max(from, t.groups[g])-t.groups[g], min(until, t.groups[g+1])-t.groups[g]
		if lo >= hi {
			continue
		}
		at, err := f.numbers(ctx, g, "at")
		if err != nil {
			return err
		}
		names, err := f.codes(ctx, g, "name")
		if err != nil {
			return err
		}
		b.At, b.Names = append(b.At, at[lo:hi]...), append(b.Names, names[lo:hi]...)
		for i, name := range r.Properties {
			column := make([]string, t.groups[g+1]-t.groups[g])
			if at := slices.Index(t.index.Properties, name); at >= 0 {
				if column, err = f.texts(ctx, g, "p"+strconv.Itoa(at)); err != nil {
					return err
				}
			}
			b.Properties[i] = append(b.Properties[i], column[lo:hi]...)
		}
	}
	return nil
}

// columnFile reads single columns of row groups.
type columnFile struct {
	file   *pqfile.Reader
	reader *pqarrow.FileReader
}

func (t *timelineFiles) open(name string) (*columnFile, error) {
	f, err := pqfile.OpenParquetFile(filepath.Join(t.dir, name), true)
	if err != nil {
		return nil, t.damaged(err)
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		f.Close()
		return nil, t.damaged(err)
	}
	return &columnFile{f, r}, nil
}

func (f *columnFile) close()      { _ = f.file.Close() }
func (f *columnFile) groups() int { return f.file.NumRowGroups() }

func (f *columnFile) read(ctx context.Context, group int, name string) (*arrow.Chunked, error) {
	i := f.file.MetaData().Schema.ColumnIndexByName(name)
	if i < 0 {
		return nil, weir.Errorf(weir.Internal, "there is no column %s", name)
	}
	return f.reader.RowGroup(group).Column(i).Read(ctx)
}

func (f *columnFile) texts(ctx context.Context, group int, name string) ([]string, error) {
	c, err := f.read(ctx, group, name)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, c.Len())
	for _, chunk := range c.Chunks() {
		a, ok := chunk.(*array.String)
		if !ok {
			return nil, weir.Errorf(weir.Internal, "column %s is no text", name)
		}
		for i := range a.Len() {
			out = append(out, a.Value(i))
		}
	}
	return out, nil
}

func (f *columnFile) numbers(ctx context.Context, group int, name string) ([]int64, error) {
	c, err := f.read(ctx, group, name)
	if err != nil {
		return nil, err
	}
	out := make([]int64, 0, c.Len())
	for _, chunk := range c.Chunks() {
		a, ok := chunk.(*array.Int64)
		if !ok {
			return nil, weir.Errorf(weir.Internal, "column %s is no number", name)
		}
		out = append(out, a.Int64Values()...)
	}
	return out, nil
}

func (f *columnFile) codes(ctx context.Context, group int, name string) ([]int32, error) {
	c, err := f.read(ctx, group, name)
	if err != nil {
		return nil, err
	}
	out := make([]int32, 0, c.Len())
	for _, chunk := range c.Chunks() {
		a, ok := chunk.(*array.Int32)
		if !ok {
			return nil, weir.Errorf(weir.Internal, "column %s is no code", name)
		}
		out = append(out, a.Int32Values()...)
	}
	return out, nil
}
