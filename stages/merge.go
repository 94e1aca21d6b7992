package stages

import (
	"context"
	"encoding/json"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// merge reads several streams sorted by profile id side by side. The first
// error ends all of them.
type merge struct {
	ctx     context.Context
	sess    *sql.Internal
	err     error
	closers []func() error
	idsText string // what ids was decoded from
	ids     weir.Identifiers
}

func (m *merge) close() {
	for _, c := range m.closers {
		if err := c(); err != nil && m.err == nil {
			m.err = err
		}
	}
}

func (m *merge) decode(text string, into any) {
	if m.err == nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			m.err = weir.Errorf(weir.Internal, "read audience: %w", err)
		}
	}
}

func (m *merge) time(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil && m.err == nil {
		m.err = weir.Errorf(weir.Internal, "read audience: %w", err)
	}
	return t
}

// identifiers decodes a map. A person's records often hold the same, so the last
// one is kept; nobody changes it.
func (m *merge) identifiers(text string) weir.Identifiers {
	if m.idsText != text {
		var ids weir.Identifiers
		m.decode(text, &ids)
		m.idsText, m.ids = text, ids
	}
	return m.ids
}

// stream is one sorted stream of (profile id, value).
type stream struct {
	m    *merge
	rows *sql.Rows
	key  string
	val  string
	ok   bool
}

func open(m *merge, q string) *stream {
	s := &stream{m: m}
	if m.err != nil {
		return s
	}
	rows, err := m.sess.Side(m.ctx, q)
	if err != nil {
		m.err = err
		return s
	}
	s.rows = rows
	m.closers = append(m.closers, rows.Close)
	s.next()
	return s
}

func (s *stream) next() {
	s.ok = s.m.err == nil && s.rows.Next()
	if s.ok {
		v := s.rows.Values()
		s.key, _ = v[0].(string)
		s.val, _ = v[1].(string)
	} else if s.m.err == nil {
		s.m.err = s.rows.Err()
	}
}

// take returns all values of a profile; profiles before it are passed over.
func (s *stream) take(profile string) []string {
	var out []string
	for s.ok && s.key <= profile {
		if s.key == profile {
			out = append(out, s.val)
		}
		s.next()
	}
	return out
}
