package files

import (
	"bytes"
	"errors"
	"io"
)

// lines is a window onto a text that always holds whole lines, up to a limit.
type lines struct {
	r          io.Reader
	buf        []byte
	start, end int   // the unread part of buf
	max        int   // longest line
	number     int64 // of the line at start, from 1
	eof        bool
	err        error
}

const firstBuffer = 128 << 10

var errTooLong = errors.New("too long")

func newLines(r io.Reader, maxLine int64) *lines {
	return &lines{r: r, buf: make([]byte, min(firstBuffer, int(maxLine)+1)), max: int(maxLine), number: 1}
}

// have is the unread bytes that are in the window.
func (l *lines) have() []byte { return l.buf[l.start:l.end] }

// fill reads more behind the window's end; it moves the unread part. It returns
// io.EOF at the end and errTooLong if the window may not grow.
func (l *lines) fill() error {
	if l.err != nil {
		return l.err
	}
	if l.eof {
		return io.EOF
	}
	if l.start > 0 && l.end > len(l.buf)/2 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.start = 0
	}
	if l.end == len(l.buf) {
		if len(l.buf) > l.max {
			return errTooLong
		}
		bigger := make([]byte, min(2*len(l.buf), l.max+1))
		copy(bigger, l.buf[:l.end])
		l.buf = bigger
	}
	n, err := l.r.Read(l.buf[l.end:])
	l.end += n
	if errors.Is(err, io.EOF) {
		l.eof = true
		if n == 0 {
			return io.EOF
		}
		return nil
	}
	l.err = err
	if n > 0 {
		return nil
	}
	return err
}

// length is the length of the line at start without its "\n"; ended says that
// there is one. At the text's end it returns io.EOF.
func (l *lines) length() (n int, ended bool, err error) {
	seen := 0
	for {
		if i := bytes.IndexByte(l.buf[l.start+seen:l.end], '\n'); i >= 0 {
			return seen + i, true, nil
		}
		seen = l.end - l.start
		switch err := l.fill(); {
		case err == nil:
		case errors.Is(err, io.EOF) && seen > 0:
			return seen, false, nil
		default:
			return 0, false, err
		}
	}
}

// advance passes n bytes that hold so many line ends.
func (l *lines) advance(n, newlines int) {
	l.start = min(l.start+n, l.end)
	l.number += int64(newlines)
}

// skip passes the rest of a line, however long.
func (l *lines) skip() error {
	for {
		if i := bytes.IndexByte(l.have(), '\n'); i >= 0 {
			l.advance(i+1, 1)
			return nil
		}
		l.start, l.end = 0, 0
		if err := l.fill(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// chomp removes a carriage return before the line's end.
func chomp(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// oldMac turns lone carriage returns into line ends, for files that have no
// other.
type oldMac struct{ r io.Reader }

func (o oldMac) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}
