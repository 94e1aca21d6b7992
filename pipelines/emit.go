package pipelines

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

// Emit sends a row to a partition of the next step, on a named channel; the
// channel "<step>:<channel>" is of a named later step. All rows of a channel
// have one type, a struct with parquet tags and without map fields (their order
// in a file would not be fixed). Partitions are numbered from 0; a step may use
// any number of them, the spec's is a suggestion.
func Emit[T any](t *Task, channel string, partition int, row T) error {
	e, ok := t.channels[channel].(*buffer[T])
	if !ok {
		var err error
		if e, err = open[T](t, channel); err != nil {
			return err
		}
	}
	if partition < 0 {
		return weir.Errorf(weir.Internal, "channel %s: partition %d", channel, partition)
	}
	e.rows[partition] = append(e.rows[partition], row)
	n := e.sizeOf(&row)
	e.t.buffered += n
	if t.buffered < taskMemory {
		return nil
	}
	for _, name := range sortedKeys(t.channels) {
		if err := t.channels[name].flush(); err != nil {
			return err
		}
	}
	t.buffered = 0
	return nil
}

// emitter is a channel's buffer, whatever its row type.
type emitter interface{ flush() error }

// buffer holds a channel's rows by partition until they make a scratch file.
type buffer[T any] struct {
	t       *Task
	channel string // without the step
	to      int    // step index
	rows    map[int][]T
	files   int
	written int64 // rows seen, for sampling sizes
	size    int64 // sampled bytes a row
}

func open[T any](t *Task, channel string) (*buffer[T], error) {
	if other, taken := t.channels[channel]; taken {
		return nil, weir.Errorf(weir.Internal, "channel %s of step %s has rows of two types, %T and %T",
			channel, t.Step(), other, new(T))
	}
	b := &buffer[T]{t: t, channel: channel, to: t.index + 1, rows: map[int][]T{}}
	if step, name, named := strings.Cut(channel, ":"); named {
		i, ok := t.rt.pipeline.step(step)
		if !ok || i <= t.index {
			return nil, weir.Errorf(weir.Internal, "channel %s of step %s leads to no later step", channel, t.Step())
		}
		b.to, b.channel = i, name
	}
	if b.to >= len(t.rt.pipeline.Steps) || b.channel == "" || strings.Contains(b.channel, "/") {
		return nil, weir.Errorf(weir.Internal, "step %s can't emit on channel %q", t.Step(), channel)
	}
	if t.channels == nil {
		t.channels = map[string]emitter{}
	}
	t.channels[channel] = b
	return b, nil
}

// flush writes the buffered rows as one scratch file, one row group a partition.
func (b *buffer[T]) flush() error {
	if len(b.rows) == 0 {
		return nil
	}
	parts := make([]int, 0, len(b.rows))
	largest := 0
	for p, rows := range b.rows {
		parts = append(parts, p)
		largest = max(largest, len(rows))
	}
	sort.Ints(parts)
	t := b.t
	key := fmt.Sprintf("%s/%02d-%s/%s-%02d-%s-%04d.parquet",
		strings.TrimSuffix(t.rt.spec.Scratch, "/"), t.index, t.Step(), t.id, b.to, b.channel, b.files)
	w, err := rowfile.NewScratchWriter[T](t.ctx, t.rt.store, key, largest)
	if err != nil {
		return err
	}
	for group, p := range parts {
		if err := w.WriteGroup(b.rows[p]); err != nil {
			w.Abort()
			return err
		}
		t.out = append(t.out, element{To: b.to, At: p,
			Ref: &ref{Key: key, Group: group, Rows: len(b.rows[p]), Channel: b.channel}})
	}
	if err := w.Close(); err != nil {
		return err
	}
	b.files++
	clear(b.rows)
	return nil
}

// sizeOf estimates a row's bytes in memory: every 32nd row is measured, a
// running mean stands for the others.
func (b *buffer[T]) sizeOf(row *T) int64 {
	if b.written%32 == 0 {
		n := memory(reflect.ValueOf(row).Elem())
		if b.written == 0 {
			b.size = n
		} else {
			b.size += (n - b.size) / 8
		}
	}
	b.written++
	return b.size
}

// memory measures a value with what it points to.
func memory(v reflect.Value) int64 {
	n := int64(v.Type().Size())
	switch v.Kind() {
	case reflect.String:
		n += int64(v.Len())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return n + int64(v.Len())
		}
		for i := range v.Len() {
			n += memory(v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			n += memory(it.Key()) + memory(it.Value()) + 16
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += memory(v.Field(i)) - int64(v.Field(i).Type().Size())
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			n += memory(v.Elem())
		}
	}
	return n
}
