package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// New checks a content and makes it a model.
func New(c Content) (*Model, error) {
	c.Format = Format
	m := &Model{Content: c, given: -1, family: -1}
	m.round()
	if err := m.derive(); err != nil {
		return nil, err
	}
	m.Digest = ""
	data, err := m.JSON()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	m.Digest = hex.EncodeToString(sum[:])
	m.version = "m-" + m.Digest[:20]
	return m, nil
}

// Parse reads an artefact, and refuses one that is not as it was written. Those of
// before the digest have none.
func Parse(data []byte) (*Model, error) {
	var c Content
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, invalid("%v", err)
	}
	if d.More() {
		return nil, invalid("something follows it")
	}
	if c.Format != Format {
		return nil, weir.Errorf(weir.Invalid, "model artefact has format %d, this binary reads %d", c.Format, Format).Then(again)
	}
	said := c.Digest
	m, err := New(c)
	if err == nil && said != "" && said != m.Digest {
		return nil, invalid("it was changed after training")
	}
	return m, err
}

// again is what to do about an artefact that can't be read.
const again = "learn it anew: weir identity train"

// JSON is the artefact: the same content gives the same bytes.
func (m *Model) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(m.Content, "", " ")
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "model artefact: %v", err)
	}
	return append(data, '\n'), nil
}

// round keeps six digits: what a person can read, and what training on the same
// pairs summed in another order agrees on.
func (m *Model) round() {
	for i := range m.Columns {
		c := &m.Columns[i]
		c.Complete = digits(c.Complete)
		if c.Words != nil {
			c.Words = &Words{Table: c.Words.Table, Mean: digits(c.Words.Mean)}
		}
		for k := range c.With {
			w := &c.With[k]
			w.Tied, w.Lift = digits(w.Tied), digits(w.Lift)
			for l := range w.Levels {
				w.Levels[l] = digits(w.Levels[l])
			}
		}
		for k := range c.Levels {
			l := &c.Levels[k]
			l.M, l.U, l.Seen = digits(l.M), digits(l.U), digits(l.Seen)
		}
	}
	for i := range m.Classes {
		c := &m.Classes[i]
		c.Prior = digits(c.Prior)
		for k := range c.Shared {
			c.Shared[k] = digits(c.Shared[k])
		}
	}
	for i := range m.Rules {
		m.Rules[i].Pairs = digits(m.Rules[i].Pairs)
	}
	m.Content.Threshold = digits(m.Content.Threshold)
	m.Trained.Matches = digits(m.Trained.Matches)
}

func digits(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// derive checks the content and computes what scoring needs.
func (m *Model) derive() error {
	if len(m.Columns) > MaxColumns {
		return invalid("%d columns, at most %d are compared", len(m.Columns), MaxColumns)
	}
	if len(m.Rules) > MaxRules {
		return invalid("%d blocking rules, at most %d", len(m.Rules), MaxRules)
	}
	if m.Content.MaxBlock < 2 && len(m.Rules) > 0 {
		return invalid("max_block is %d, at least 2", m.Content.MaxBlock)
	}
	if math.IsNaN(m.Content.Threshold) || math.IsInf(m.Content.Threshold, 0) {
		return invalid("the threshold is not a number")
	}
	for i := range m.Columns {
		c, err := m.column(i)
		if err != nil {
			return err
		}
		m.columns = append(m.columns, c)
	}
	for _, c := range m.Classes {
		if len(c.Shared) != len(m.Columns) || !share(c.Prior) {
			return invalid("class %s has prior %v and %d of %d columns", c.Name, c.Prior, len(c.Shared), len(m.Columns))
		}
		d := class{match: c.Match, prior: c.Prior}
		for k, s := range c.Shared {
			if !share(s) {
				return invalid("class %s shares %s with probability %v", c.Name, m.Columns[k].Name, s)
			}
			d.shared[k] = s
		}
		m.classes = append(m.classes, d)
	}
	return m.deriveRules()
}

func (m *Model) column(i int) (column, error) {
	c := &m.Columns[i]
	k, ok := compare.KindOf(c.Kind)
	if !ok {
		return column{}, invalid("column %s has the unknown comparison %q", c.Name, c.Kind)
	}
	d := column{kind: k, address: k == compare.Email || k == compare.Phone, blank: map[uint32]struct{}{}, with: c.With}
	for _, w := range c.With {
		bad := w.Parent < 0 || w.Parent == i || w.Parent >= len(m.Columns) && w.Parent != Names || !share(w.Tied) || w.Lift < 0
		if bad || len(w.Levels) != len(c.Levels) || slices.ContainsFunc(w.Levels, func(u float64) bool { return !share(u) || u == 0 }) {
			return column{}, invalid("column %s goes with %d as %+v", c.Name, w.Parent, w)
		}
	}
	n := len(compare.Levels(k))
	d.differ = compare.Level(n - 1)
	if c.Limited {
		d.limited = n
		n++
	}
	if len(c.Levels) != n {
		return column{}, invalid("column %s has %d levels, %d are needed", c.Name, len(c.Levels), n)
	}
	for l := range d.m {
		d.m[l], d.u[l] = 1, 1
	}
	for l, x := range c.Levels {
		if !share(x.M) || !share(x.U) || x.M == 0 || x.U == 0 {
			return column{}, invalid("column %s, level %s has m %v and u %v", c.Name, x.Name, x.M, x.U)
		}
		d.m[l], d.u[l] = x.M, x.U
	}
	for _, h := range c.Blank {
		d.blank[h] = struct{}{}
	}
	switch c.Role {
	case Given:
		m.given = i
	case Family:
		m.family = i
	}
	var err error
	if d.tf, err = c.TF.lookup(); err != nil {
		return d, err
	}
	d.words, err = c.Words.lookup()
	return d, err
}

func share(x float64) bool { return x >= 0 && x <= 1 }

func invalid(format string, args ...any) error {
	return weir.Errorf(weir.Invalid, "model artefact: "+format, args...).Then(again)
}

// The roles of names.
const (
	Given  = "given"
	Family = "family"
)
