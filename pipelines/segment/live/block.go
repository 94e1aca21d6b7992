package live

import (
	"context"
	"strconv"
)

// Block is profiles with their events, in columns. A block holds all events of its
// profiles.
type Block struct {
	IDs        []string
	Kinds      []string
	Attributes [][]string // by Reads.Attributes; "" is unknown
	// First is where each profile's events begin, and at its end where the last
	// one's end. Nil: events were not read.
	First      []int64
	At         []int64    // microseconds since 1970; of a profile ascending, of one moment by the event's id
	Names      []int32    // places in Source.Names
	Properties [][]string // by Reads.Properties; "" is none
}

// Source gives blocks, in any order and several at once.
type Source interface {
	Blocks() int
	// Names are the events' names, each once.
	Names() []string
	Read(ctx context.Context, block int, r Reads) (*Block, error)
}

// orderIDs name the events of a profile by their order: all that an event's id
// decides is which of two at one moment comes first.
var orderIDs = func() []string {
	out := make([]string, 4096)
	for i := range out {
		out[i] = orderID(i)
	}
	return out
}()

func orderID(i int) string {
	s := strconv.Itoa(i)
	return "000000000000"[:12-len(s)] + s
}

func idOf(i int64) string {
	if i < int64(len(orderIDs)) {
		return orderIDs[i]
	}
	return orderID(int(i))
}
