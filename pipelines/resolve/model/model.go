package model

import (
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// Format is the version of the artefact's shape.
const Format = 1

// MaxColumns is how many columns a model compares at most.
const MaxColumns = 16

// MaxRules is how many blocking rules a model has at most.
const MaxRules = 256

// Model is a trained model, as its artefact says it. Make it with New or Parse.
type Model struct {
	Content
	version string
	columns []column // derived of Content
	classes []class
	rules   []rule
	given   int // place of the given name, -1: none
	family  int
}

// Content is the artefact: all that a model knows, in JSON. It holds hashes and
// frequencies of values, never a value.
type Content struct {
	Format    int      `json:"format"`
	Digest    string   `json:"digest,omitempty"` // of all else, by JSON: so that a change by hand is noticed
	Columns   []Column `json:"columns"`
	Classes   []Class  `json:"classes"`
	Rules     []Rule   `json:"rules"`
	Threshold float64  `json:"threshold"` // log2 odds of a link
	MaxBlock  int      `json:"max_block"` // records of a block that are all compared
	Trained   Trained  `json:"trained"`
}

// Column is one attribute or identifier, and how its values are compared.
type Column struct {
	Name         string   `json:"name"`
	IsIdentifier bool     `json:"identifier,omitempty"`
	Kind         string   `json:"kind"`           // of package compare
	Role         string   `json:"role,omitempty"` // given, family, full: what a name is
	Limited      bool     `json:"limited,omitempty"`
	Levels       []Level  `json:"levels"`
	TF           Table    `json:"term_frequencies"`
	Words        *Words   `json:"words,omitempty"` // of company names
	Blank        []uint32 `json:"blank,omitempty"` // hashes of values that stand for nothing: placeholders, hubs
	Complete     float64  `json:"complete"`        // share of records that hold a value, at training
	With         []With   `json:"with,omitempty"`  // what it goes with among strangers: the first that both records hold counts
}

// Level is one level of agreement: how often pairs that are the same, and pairs
// that are not, show it, where both hold a value (Fellegi and Sunter 1969).
type Level struct {
	Name string  `json:"name"`
	M    float64 `json:"m"`
	U    float64 `json:"u"`
	Seen float64 `json:"seen"` // share among all compared pairs of the training sample, for drift
}

// With says how a column goes with a parent among strangers: people of one town
// share its postcodes, people of one name have like addresses. Where the parent
// agrees, u is Levels; equal values are equal by the parent alone with
// probability Tied, or by chance, Lift times more often than else.
type With struct {
	Parent int       `json:"parent"` // place of a column; Names: given and family name
	Levels []float64 `json:"levels"`
	Tied   float64   `json:"tied"`
	Lift   float64   `json:"lift"`
	Nested bool      `json:"nested,omitempty"` // chance is the share among those who hold the parent's value, as of a town's postcodes
}

// Names as a parent: the given or the family name is alike. Addresses of e-mail
// are made of both.
const Names = MaxColumns

// Class is one way in which two records may be related. In a class each column's
// underlying value is shared by the two with probability Shared: then the levels
// follow m, else u. The class of random pairs shares nothing; the match class
// shares all; relatives share an address and a family name, movers all but the
// address. This is a latent class model (Winkler 1993; Larsen and Rubin 2001)
// with one parameter a class and column.
type Class struct {
	Name   string    `json:"name"`
	Match  bool      `json:"match"`
	Prior  float64   `json:"prior"` // among all pairs of records
	Shared []float64 `json:"shared"`
}

// Rule is one blocking rule: records that agree on all parts are compared.
type Rule struct {
	Name   string  `json:"name"`
	Parts  []Part  `json:"parts"`
	Second []Part  `json:"second,omitempty"` // splits a block that is too big
	Pairs  float64 `json:"pairs"`            // expected in the whole table at training
}

// Part is a column under a transform.
type Part struct {
	Column    int    `json:"column"`
	Transform string `json:"transform"` // see Transforms
}

// Trained says on what a model was trained.
type Trained struct {
	Seed    uint64  `json:"seed"`
	Records int     `json:"records"` // of the sample
	Total   int     `json:"total"`   // of the table
	Pairs   int     `json:"pairs"`
	Matches float64 `json:"matches"` // expected in the table
	Labels  int     `json:"labels,omitempty"`
}

// column, class and rule are derived for speed.
type column struct {
	kind    compare.Kind
	address bool // e-mail or phone: placeholders are left out
	m, u    [16]float64
	limited int // the level of a conflict inside one source; 0: none
	tf      lookup
	words   words
	blank   map[uint32]struct{}
	differ  compare.Level
	with    []With
}

type class struct {
	match  bool
	prior  float64
	shared [MaxColumns]float64
}

// Threshold is the log2 odds from which two records are linked.
func (m *Model) Threshold() float64 { return m.Content.Threshold }

// MaxBlock is how many records a block may hold before it is split.
func (m *Model) MaxBlock() int { return m.Content.MaxBlock }

// RuleName names a blocking rule.
func (m *Model) RuleName(rule uint8) string {
	if int(rule) >= len(m.Rules) {
		return "unknown"
	}
	return m.Rules[rule].Name
}

// Version is "m-" and the digest of the content.
func (m *Model) Version() string { return m.version }
