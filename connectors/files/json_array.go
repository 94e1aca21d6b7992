package files

import (
	"bytes"
	"errors"
	"io"

	"github.com/weir-cdp/weir"
)

// readJSON reads a document that is a list of objects, or objects one after the
// other. It cuts the elements by their braces, so that a bad or huge one costs
// only itself.
func readJSON(t text, o options, out *out) error {
	c := &elements{lines: newLines(t.r, o.maxRow)}
	r := newJSONReader(t, o, out)
	for {
		element, line, err := c.next()
		switch {
		case errors.Is(err, io.EOF):
			return r.flush()
		case errors.Is(err, errTooLong):
			if err := out.rejectRow(line, tooLongRow, element); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := r.row(element, line); err != nil {
			return err
		}
	}
}

// elements cuts a JSON document into its elements.
type elements struct {
	*lines
	list, closed, any bool // inside of a list; after its end; an element was seen
	comma             bool // after a comma: an element must follow
}

// next gives the next element and its line; io.EOF after the last, errTooLong
// with the beginning of one beyond the limit, which is passed.
func (c *elements) next() ([]byte, int64, error) {
	for {
		b, err := c.peekByte()
		if errors.Is(err, io.EOF) {
			if c.list && !c.closed {
				return nil, 0, weir.Errorf(weir.Invalid, "the list is not closed: the file is truncated").
					Then("write it again, whole; none of its rows were taken")
			}
			return nil, 0, io.EOF
		}
		switch {
		case err != nil:
			return nil, 0, err
		case b == ' ' || b == '\t' || b == '\r':
			c.advance(1, 0)
		case b == '\n':
			c.advance(1, 1)
		case c.closed:
			return nil, 0, c.unexpected(b)
		case b == '[' && !c.list && !c.any:
			c.list = true
			c.advance(1, 0)
		case b == ']' && c.list && !c.comma:
			c.closed = true
			c.advance(1, 0)
		case b == ',' && c.list && c.any && !c.comma:
			c.comma = true
			c.advance(1, 0)
		case b == ',' || b == ']' || b == '}' || c.list && c.any && !c.comma:
			return nil, 0, c.unexpected(b)
		default:
			c.any, c.comma = true, false
			return c.element()
		}
	}
}

func (c *elements) unexpected(b byte) error {
	return weir.Errorf(weir.Invalid, "line %d: %q is not expected between the elements of the list", c.number, b).
		Then("correct the file; none of its rows were taken")
}

func (c *elements) peekByte() (byte, error) {
	for c.start == c.end {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	return c.buf[c.start], nil
}

// element finds the end of what begins at start: where its braces close or, of
// a scalar, the next comma, bracket or white space.
func (c *elements) element() ([]byte, int64, error) {
	var s scanner
	line, newlines := c.number, 0
	var head []byte // of an element beyond the limit
	for i := 0; ; i++ {
		if c.start+i == c.end {
			err := c.fill()
			switch {
			case errors.Is(err, errTooLong):
				if head == nil {
					head = bytes.Clone(c.have()[:min(excerptSize, len(c.have()))])
				}
				c.advance(i, newlines)
				c.start, c.end, i, newlines = 0, 0, 0, 0
				err = c.fill()
			}
			if errors.Is(err, io.EOF) {
				return c.cut(head, line, i, newlines)
			} else if err != nil {
				return nil, 0, err
			}
		}
		b := c.buf[c.start+i]
		if done, included := s.step(b); done {
			if included {
				i++
			}
			return c.cut(head, line, i, newlines)
		}
		if b == '\n' {
			newlines++
		}
	}
}

func (c *elements) cut(head []byte, line int64, n, newlines int) ([]byte, int64, error) {
	element := c.buf[c.start : c.start+n]
	c.advance(n, newlines)
	if head != nil {
		return head, line, errTooLong
	}
	return element, line, nil
}

// scanner follows braces and strings.
type scanner struct {
	depth           int
	quoted, escaped bool
}

// step takes a byte; done says that the element ends, included whether with it.
func (s *scanner) step(b byte) (done, included bool) {
	if s.quoted {
		switch {
		case s.escaped:
			s.escaped = false
		case b == '\\':
			s.escaped = true
		case b == '"':
			s.quoted = false
			return s.depth == 0, true
		}
		return false, false
	}
	switch b {
	case '"':
		s.quoted = true
	case '{', '[':
		s.depth++
	case '}', ']':
		if s.depth == 0 {
			return true, false
		}
		s.depth--
		return s.depth == 0, true
	case ',', ' ', '\t', '\r', '\n':
		return s.depth == 0, false
	}
	return false, false
}
