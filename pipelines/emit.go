package pipelines

import (
	"fmt"
	"slices"
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
	p := c.parts[partition]
	if p == nil {
		p = &part{}
		c.parts[partition] = p
	}
	before := len(p.rows)
	p.rows = c.encoder.Append(p.rows, &row)
	p.n++
	t.buffered += int64(len(p.rows) - before)
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

// emitter is a channel, whatever its row type.
type emitter interface{ flush() error }

// emitting holds a channel's rows by partition until they make a scratch object.
type emitting[T any] struct {
	t       *Task
	channel string // without the step
	to      int    // step index
	encoder *scratch.Encoder[T]
	parts   map[int]*part
	objects int
}

// part is the rows of one partition, laid out.
type part struct {
	rows []byte
	n    int
}

func open[T any](t *Task, channel string) (*emitting[T], error) {
	if other, taken := t.channels[channel]; taken {
		return nil, weir.Errorf(weir.Internal, "channel %s of step %s has rows of two types, %T and %T",
			channel, t.Step(), other, new(T))
	}
	c := &emitting[T]{t: t, channel: channel, to: t.index + 1, parts: map[int]*part{}}
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
	if t.channels == nil {
		t.channels = map[string]emitter{}
	}
	t.channels[channel] = c
	return c, nil
}

// flush writes the rows held as one scratch object, a block for each partition.
func (c *emitting[T]) flush() error {
	if len(c.parts) == 0 {
		return nil
	}
	t := c.t
	key := fmt.Sprintf("%s/%02d-%s/%s-%02d-%s-%04d.rows",
		strings.TrimSuffix(t.rt.spec.Scratch, "/"), t.index, t.Step(), t.id, c.to, c.channel, c.objects)
	partitions := make([]int, 0, len(c.parts))
	for p := range c.parts {
		partitions = append(partitions, p)
	}
	slices.Sort(partitions)
	var data []byte
	for _, p := range partitions {
		held := c.parts[p]
		start := len(data)
		data = c.encoder.Block(data, held.rows, held.n)
		held.rows = nil
		t.out = append(t.out, element{To: c.to, At: p,
			Ref: &ref{Key: key, Offset: int64(start), Bytes: int64(len(data) - start), Rows: held.n, Channel: c.channel}})
	}
	c.objects++
	clear(c.parts)
	return t.rt.store.PutChecked(t.ctx, key, data)
}
