package rowfile

// Option changes how a writer lays out files. Different options give different
// bytes, so one table's writers use the same.
type Option func(*options)

type options struct {
	groupRows int   // most rows of a row group
	fileBytes int64 // a file past this is closed and another begun
	spill     int64 // finished bytes kept in memory before a temporary file takes them
	level     int   // zstd
}

// chunk is how many rows go to the Parquet writer at once.
func (o options) chunk() int { return max(1, min(chunkRows, o.groupRows)) }

func newOptions(opts []Option) options {
	o := options{groupRows: 128 << 10, fileBytes: 128 << 20, spill: 4 << 20, level: 1}
	for _, f := range opts {
		f(&o)
	}
	return o
}

const (
	chunkRows  = 8 << 10  // rows handed to the Parquet writer at once
	groupBytes = 64 << 20 // a row group past this is closed, whatever its rows
	// A page is compressed when it has so many bytes: few enough to be in the
	// processor's cache still, and to bound what a writer holds for each column.
	pageBytes = 256 << 10
)

// GroupRows sets the most rows of a row group; 128 Ki by default.
func GroupRows(n int) Option { return func(o *options) { o.groupRows = n } }

// FileBytes sets the size past which a file is closed and another begun;
// 128 MiB by default.
func FileBytes(n int64) Option { return func(o *options) { o.fileBytes = n } }

// SpillBytes sets how many finished bytes stay in memory before a temporary file
// (in TMPDIR) takes them; 4 MiB by default.
func SpillBytes(n int64) Option { return func(o *options) { o.spill = n } }
