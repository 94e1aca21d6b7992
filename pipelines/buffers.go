package pipelines

import "sync"

// keptBuffer is the largest buffer that is kept for another task.
const keptBuffer = 2 * objectBytes

// buffers lends the memory in which tasks lay out rows: a buffer that grows anew
// for each block is copied more often than it is filled.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return (*p)[:0]
	}
	return nil
}

func (b *buffers) put(buf []byte) {
	if cap(buf) > 0 && cap(buf) <= keptBuffer {
		b.pool.Put(&buf)
	}
}
