package sql

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unsafe"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/weir-cdp/weir"
)

// Stream reads the rows of a SELECT in their order while DuckDB makes them, a few
// vectors ahead of the reader: it holds no result, and a row costs nanoseconds,
// not a Go value for each of its fields. All columns are text or whole numbers of
// 64 bits. It is used by one goroutine.
//
// It speaks to DuckDB below the driver, which materialises every result.
type Stream struct {
	db      duck.Database
	conn    duck.Connection
	stmt    duck.PreparedStatement
	result  duck.Result
	ctx     context.Context // of the query
	cancel  context.CancelFunc
	ahead   chan duck.DataChunk
	fetched sync.WaitGroup

	chunk   duck.DataChunk
	columns []vector
	row     int // within the chunk
	rows    int
	err     error
	failure error // of the fetching goroutine, once ahead is closed
}

// vector is a column of one chunk, in DuckDB's memory.
type vector struct {
	data  unsafe.Pointer
	valid unsafe.Pointer // bits of 64 rows each; nil: none is null
}

// ahead is how many chunks of 2,048 rows wait for the reader.
const chunksAhead = 4

// openStream starts the query in a database of its own.
func openStream(ctx context.Context, settings map[string]string, columns int, q string) (*Stream, error) {
	s := &Stream{columns: make([]vector, columns), ahead: make(chan duck.DataChunk, chunksAhead)}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if err := s.start(settings, q); err != nil {
		s.release()
		return nil, err
	}
	stopped := context.AfterFunc(s.ctx, func() { duck.Interrupt(s.conn) })
	s.fetched.Go(func() {
		defer close(s.ahead)
		defer stopped()
		for {
			c := duck.FetchChunk(s.result)
			if c.Ptr == nil {
				s.failure = s.failed(duck.ResultError(&s.result))
				return
			}
			select {
			case s.ahead <- c:
			case <-s.ctx.Done():
				duck.DestroyDataChunk(&c)
				s.failure = s.ctx.Err()
				return
			}
		}
	})
	return s, nil
}

func (s *Stream) start(settings map[string]string, q string) error {
	var config duck.Config
	if duck.CreateConfig(&config) == duck.StateError {
		return weir.Errorf(weir.Internal, "DuckDB makes no configuration")
	}
	defer duck.DestroyConfig(&config)
	for name, value := range settings {
		if duck.SetConfig(config, name, value) == duck.StateError {
			return weir.Errorf(weir.Internal, "DuckDB has no setting %s", name)
		}
	}
	var why string
	if duck.OpenExt("", &s.db, config, &why) == duck.StateError {
		return s.failed(why)
	}
	if duck.Connect(s.db, &s.conn) == duck.StateError {
		return weir.Errorf(weir.Unavailable, "can't connect to DuckDB")
	}
	if duck.Prepare(s.conn, q, &s.stmt) == duck.StateError {
		return s.failed(duck.PrepareError(s.stmt))
	}
	if duck.ExecutePreparedStreaming(s.stmt, &s.result) == duck.StateError {
		return s.failed(duck.ResultError(&s.result))
	}
	return nil
}

// failed makes an error of DuckDB's text; "" is none.
func (s *Stream) failed(text string) error {
	switch {
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	case text == "":
		return nil
	case strings.HasPrefix(text, "Out of Memory"):
		return weir.Errorf(weir.Unavailable, "can't stream a query: %s", text).Then("free memory and temporary disk, then try again")
	case strings.HasPrefix(text, "IO Error"):
		return weir.Errorf(weir.Unavailable, "can't stream a query: %s", text).Then("check the disk and the object store, then try again")
	}
	return weir.Errorf(weir.Internal, "can't stream a query: %s", text)
}

// Next steps to the next row; false at the end or after an error.
func (s *Stream) Next() bool {
	if s.row++; s.row < s.rows {
		return true
	}
	return s.fill()
}

func (s *Stream) fill() bool {
	for {
		duck.DestroyDataChunk(&s.chunk)
		s.chunk, s.rows, s.row = duck.DataChunk{}, 0, 0
		c, more := <-s.ahead
		if !more {
			s.err = s.failure
			return false
		}
		s.chunk, s.rows = c, int(duck.DataChunkGetSize(c))
		for i := range s.columns {
			v := duck.DataChunkGetVector(c, duck.IdxT(i))
			s.columns[i] = vector{data: duck.VectorGetData(v), valid: duck.VectorGetValidity(v)}
		}
		if s.rows > 0 {
			return true
		}
	}
}

func (v vector) null(row int) bool {
	if v.valid == nil {
		return false
	}
	bits := *(*uint64)(unsafe.Add(v.valid, row/64*8))
	return bits>>(row%64)&1 == 0
}

// duckText is duckdb_string_t: up to twelve bytes lie in it, more elsewhere.
type duckText struct {
	length uint32
	inline [4]byte
	at     *byte // or eight more inline bytes
}

// Text returns a text column of the present row, "" for null. It is valid until
// the next step: clone it to keep it.
func (s *Stream) Text(column int) string {
	v := s.columns[column]
	if v.null(s.row) {
		return ""
	}
	t := (*duckText)(unsafe.Add(v.data, s.row*int(unsafe.Sizeof(duckText{}))))
	if t.length <= 12 {
		return unsafe.String(&t.inline[0], t.length)
	}
	return unsafe.String(t.at, t.length)
}

// Long returns a column of 64-bit whole numbers of the present row, 0 for null.
func (s *Stream) Long(column int) int64 {
	v := s.columns[column]
	if v.null(s.row) {
		return 0
	}
	return *(*int64)(unsafe.Add(v.data, s.row*8))
}

// Err returns the error that ended the rows, if one did.
func (s *Stream) Err() error { return s.err }

// Close ends the query.
func (s *Stream) Close() error {
	s.cancel()
	for c := range s.ahead {
		duck.DestroyDataChunk(&c)
	}
	s.fetched.Wait()
	s.release()
	return nil
}

func (s *Stream) release() {
	s.cancel()
	duck.DestroyDataChunk(&s.chunk)
	duck.DestroyResult(&s.result)
	duck.DestroyPrepare(&s.stmt)
	duck.Disconnect(&s.conn)
	duck.Close(&s.db)
}

// check that DuckDB's string is laid out as on all 64-bit machines.
var _ = [1]struct{}{}[unsafe.Sizeof(duckText{})-16]

// streamSettings are DuckDB's settings for one of several streams.
func (o Options) streamSettings(spill string) map[string]string {
	return map[string]string{
		"memory_limit": fmt.Sprintf("%dB", o.MemoryLimit/4), "threads": fmt.Sprint(max(1, o.Threads/2)), "temp_directory": spill,
		"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "allow_community_extensions": "false",
	}
}
