package resolve

import (
	"context"
	"encoding/binary"
	"iter"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// packedBytes is how much of one partition a packer gathers before it is one row.
const packedBytes = 64 << 10

// packRow holds many entries of one partition, each after its length. What a
// record sends under each of its blocking keys is so small and so often that a
// row of its own would cost more than what it carries.
type packRow struct {
	Data string
}

// packer gathers entries by partition and emits them as packRows.
type packer struct {
	t       *pipelines.Task
	channel string
	parts   [][]byte
}

func newPacker(t *pipelines.Task, channel string, partitions int) *packer {
	return &packer{t: t, channel: channel, parts: make([][]byte, partitions)}
}

func (p *packer) add(partition int, entry []byte) error {
	b := p.parts[partition]
	if b == nil {
		b = make([]byte, 0, packedBytes+len(entry)+binary.MaxVarintLen32)
	}
	b = append(binary.AppendUvarint(b, uint64(len(entry))), entry...)
	if len(b) < packedBytes {
		p.parts[partition] = b
		return nil
	}
	p.parts[partition] = b[:0]
	return pipelines.Emit(p.t, p.channel, partition, packRow{Data: string(b)})
}

// flush emits what is left.
func (p *packer) flush() error {
	for i, b := range p.parts {
		if len(b) > 0 {
			if err := pipelines.Emit(p.t, p.channel, i, packRow{Data: string(b)}); err != nil {
				return err
			}
		}
		p.parts[i] = nil
	}
	return nil
}

// unpack yields the entries of a channel. Texts cut from one share its memory.
func unpack(ctx context.Context, t *pipelines.Task, channel string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for row, err := range pipelines.Stream[packRow](ctx, t, channel) {
			if err != nil {
				yield("", err)
				return
			}
			more := true
			if err := row.each(channel, func(e string) bool { more = yield(e, nil); return more }); err != nil {
				yield("", err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// unpackAll makes a list of the entries of a channel.
func unpackAll[T any](ctx context.Context, t *pipelines.Task, channel string, read func(entry string) T) ([]T, error) {
	rows, err := pipelines.Read[packRow](ctx, t, channel)
	if err != nil {
		return nil, err
	}
	entries := 0
	for _, row := range rows {
		if err := row.each(channel, func(string) bool { entries++; return true }); err != nil {
			return nil, err
		}
	}
	out := make([]T, 0, entries)
	for _, row := range rows {
		if err := row.each(channel, func(e string) bool { out = append(out, read(e)); return true }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// each calls f with the entries until it says no.
func (p packRow) each(channel string, f func(entry string) bool) error {
	for b := p.Data; len(b) > 0; {
		n, size := uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return weir.Errorf(weir.Internal, "packed rows of %s are damaged", channel)
		}
		if !f(b[size : size+int(n)]) {
			return nil
		}
		b = b[size+int(n):]
	}
	return nil
}

// uvarint is binary.Uvarint of a text.
func uvarint(s string) (n uint64, size int) {
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return n, i + 1
		}
	}
	return 0, 0
}

// bigEndian is binary.BigEndian.Uint64 of a text.
func bigEndian(s string) uint64 {
	_ = s[7]
	return uint64(s[7]) | uint64(s[6])<<8 | uint64(s[5])<<16 | uint64(s[4])<<24 |
		uint64(s[3])<<32 | uint64(s[2])<<40 | uint64(s[1])<<48 | uint64(s[0])<<56
}
