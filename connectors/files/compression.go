package files

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/weir-cdp/weir"
)

// A file that unpacks to more than maxRatio times its own size is a bomb, once
// it has given ratioFrom bytes (short repetitive files compress better).
const (
	maxRatio  = 1000
	ratioFrom = 100 << 20
)

// compressionOf gives the compression by extension, and the name without it.
func compressionOf(name string) (compression, inner string) {
	for ext, c := range map[string]string{".gz": "gzip", ".zst": "zstd"} {
		if len(name) > len(ext) && strings.EqualFold(name[len(name)-len(ext):], ext) {
			return c, name[:len(name)-len(ext)]
		}
	}
	return "none", name
}

// ctxReader stops a read when the context ends, and counts bytes.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
	n   int64
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// decompress unpacks r, at most maxBytes, and closes nothing but itself.
func decompress(ctx context.Context, r io.Reader, compression string, maxBytes int64, where string) (io.ReadCloser, error) {
	in := &ctxReader{ctx: ctx, r: r}
	out := &unpacker{in: in, compression: compression, max: maxBytes, where: where, close: func() {}}
	switch compression {
	case "none":
		return io.NopCloser(in), nil
	case "gzip":
		z, err := gzip.NewReader(in)
		if errors.Is(err, io.EOF) && in.n == 0 {
			return io.NopCloser(in), nil // an empty file is empty, not broken
		}
		if err != nil {
			return nil, out.explain(err)
		}
		out.r = z
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, out.explain(err)
		}
		out.r, out.close = z, z.Close
	}
	return out, nil
}

type unpacker struct {
	in          *ctxReader
	r           io.Reader
	compression string
	n, max      int64
	where       string
	close       func()
}

func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.n += int64(n)
	switch {
	case u.n > u.max:
		return 0, weir.Errorf(weir.Invalid, "unpacks to more than %d bytes", u.max).At(u.where).
			Then("raise `max_bytes` if the file is what it should be")
	case u.n > ratioFrom && u.n/max(u.in.n, 1) > maxRatio:
		return 0, weir.Errorf(weir.Invalid, "unpacks to more than %d times its size, which only a decompression bomb does", maxRatio).At(u.where).
			Then("remove the file, or unpack it before it is read")
	case err == nil || err == io.EOF:
		return n, err
	}
	return n, u.explain(err)
}

func (u *unpacker) explain(err error) error {
	var known *weir.Error
	if errors.As(err, &known) || u.in.ctx.Err() != nil {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return weir.Errorf(weir.Invalid, "the %s file ends too early: it is truncated", u.compression).At(u.where).
			Then("write it again, whole; none of its rows were taken")
	}
	return weir.Errorf(weir.Invalid, "is not what %s writes: %w", u.compression, err).At(u.where).
		Then("write it again, or set `compression`; none of its rows were taken")
}

func (u *unpacker) Close() error {
	u.close()
	return nil
}
