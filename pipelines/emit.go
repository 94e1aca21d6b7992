package pipelines

import (
	"fmt"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/scratch"
)

// Emit sends a row to a partition of the next step, on a named channel; the
// channel "<step>:<channel>" is of a named later step. All rows of a channel
// have one type, a struct that package scratch can lay out: no maps, whose order
// would not be fixed. Partitions are numbered from 0; a step may use any number
// of them, the spec's is a suggestion.
func Emit[T any](t *Task, channel string, partition int, row T) error {
	c, ok := t.channels[channel].(*emitting[T])
	if !ok {
		var err error
		if c, err = open[T](t, channel); err != nil {
			return err
		}
	}
	if partition < 0 {
		return weir.Errorf(weir.Internal, "channel %s: partition %d", channel, partition)
	}
	for partition >= len(c.parts) {
		c.parts = append(c.parts, part{})
	}
	p := &c.parts[partition]
	if p.rows == nil {
		p.rows = t.rt.buffers.get()
	}
	before := len(p.rows)
	c.row = row // not row itself, which would then be made anew on the heap
	p.rows = c.encoder.Append(p.rows, &c.row)
	p.n++
	t.buffered += int64(len(p.rows) - before)
	if len(p.rows) >= blockBytes {
		if err := c.block(partition); err != nil {
			return err
		}
	}
	if t.buffered < taskMemory {
		return nil
	}
	return t.flush()
}

// flush writes what all channels hold.
func (t *Task) flush() error {
	for _, name := range sortedKeys(t.channels) {
		if err := t.channels[name].flush(); err != nil {
			return err
		}
	}
	t.buffered = 0
	return nil
}

// blockBytes is how much a task holds of one channel and partition before it makes
// a block of it: as much as a reader holds at a time, and stays in a cache.
const blockBytes = 1 << 20

// objectBytes is from which size on a scratch object is written.
const objectBytes = 3 << 20

// emitter is a channel, whatever its row type.
type emitter interface {
	flush() error
	close()
}

// emitting holds a channel's rows by partition until they make a scratch object.
type emitting[T any] struct {
	t       *Task
	channel string // without the step
	to      int    // step index
	encoder *scratch.Encoder[T]
	row     T
	parts   []part // by partition
	data    []byte // the blocks of the object that is being made
	objects int
}

// part is the rows of one partition that make the next block, laid out.
type part struct {
	rows []byte
	n    int
}

func open[T any](t *Task, channel string) (*emitting[T], error) {
	if other, taken := t.channels[channel]; taken {
		return nil, weir.Errorf(weir.Internal, "channel %s of step %s has rows of two types, %T and %T",
			channel, t.Step(), other, new(T))
	}
	c := &emitting[T]{t: t, channel: channel, to: t.index + 1}
	if step, name, named := strings.Cut(channel, ":"); named {
		i, ok := t.rt.pipeline.step(step)
		if !ok || i <= t.index {
			return nil, weir.Errorf(weir.Internal, "channel %s of step %s leads to no later step", channel, t.Step())
		}
		c.to, c.channel = i, name
	}
	if c.to >= len(t.rt.pipeline.Steps) || c.channel == "" || strings.Contains(c.channel, "/") {
		return nil, weir.Errorf(weir.Internal, "step %s can't emit on channel %q", t.Step(), channel)
	}
	var err error
	if c.encoder, err = scratch.NewEncoder[T](); err != nil {
		return nil, err
	}
	c.encoder.Fast = t.rt.local
	if t.channels == nil {
		t.channels = map[string]emitter{}
	}
	t.channels[channel] = c
	return c, nil
}

// block makes a block of the rows that are held for a partition.
func (c *emitting[T]) block(partition int) error {
	p := &c.parts[partition]
	if p.n == 0 {
		return nil
	}
	if c.data == nil {
		c.data = c.t.rt.buffers.get()
	}
	start := len(c.data)
	c.data = c.encoder.Block(c.data, p.rows, p.n)
	c.t.buffered += int64(len(c.data) - start - len(p.rows))
	c.t.out = append(c.t.out, element{To: c.to, At: partition,
		Ref: &ref{Key: c.key(), Offset: int64(start), Bytes: int64(len(c.data) - start), Rows: p.n, Channel: c.channel}})
	p.rows, p.n = p.rows[:0], 0
	if len(c.data) < objectBytes {
		return nil
	}
	return c.write()
}

// key names the scratch object that is being made.
func (c *emitting[T]) key() string {
	t := c.t
	return fmt.Sprintf("%s/%02d-%s/%s-%02d-%s-%04d.rows",
		strings.TrimSuffix(t.rt.spec.Scratch, "/"), t.index, t.Step(), t.id, c.to, c.channel, c.objects)
}

// flush writes the rows held.
func (c *emitting[T]) flush() error {
	for i := range c.parts {
		if err := c.block(i); err != nil {
			return err
		}
	}
	if len(c.data) == 0 {
		return nil
	}
	return c.write()
}

// write writes the scratch object that is being made.
func (c *emitting[T]) write() error {
	c.t.buffered -= int64(len(c.data))
	c.t.result.Sent.Written += int64(len(c.data))
	err := c.t.rt.rows.PutChecked(c.t.ctx, c.key(), c.data)
	c.data = c.data[:0]
	c.objects++
	return err
}

// close gives the buffers back; nothing may be emitted after it.
func (c *emitting[T]) close() {
	for i := range c.parts {
		c.t.rt.buffers.put(c.parts[i].rows)
	}
	c.t.rt.buffers.put(c.data)
	c.parts, c.data, c.row = nil, nil, *new(T)
}
