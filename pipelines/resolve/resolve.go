package resolve

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// Params is what the stage's plan decides beside its inputs.
type Params struct {
	// Identity is identity.yaml: a section for each kind of records.
	Identity []weir.IdentityDef `json:"identity"`
	// Decisions are those of people, settled (package decisions), the earliest
	// first. Apart is stronger than together.
	Decisions []Decision `json:"decisions,omitempty"`
	// Ended are decisions that were withdrawn since the last run: they explain
	// what changes, and decide nothing.
	Ended []Decision `json:"ended,omitempty"`
	// Models are the trained models of the sections that have one.
	Models []ModelRef `json:"models,omitempty"`
	// Labels are people's answers about pairs: for training, where a model is not
	// there yet.
	Labels []train.Label `json:"labels,omitempty"`
	// Keep is where the run leaves its index, for increments to come; nil: nowhere.
	Keep *pipelines.Keep `json:"keep,omitempty"`
}

// Decision is what a person decided about records: that all of Together are one, or
// that none of Stays is one with any of Moves.
type Decision struct {
	ID       string   `json:"id"`
	Together []string `json:"together,omitempty"` // record ids, in any order
	Stays    []string `json:"stays,omitempty"`
	Moves    []string `json:"moves,omitempty"`
	// New says that the last run did not know it. Then By, Reason and Author go to
	// identity.merges for what it changes.
	New    bool   `json:"new,omitempty"`
	By     string `json:"by,omitempty"` // the id of the decision or withdrawal that is new
	Reason string `json:"reason,omitempty"`
	Author string `json:"author,omitempty"`
}

// The tables.
const (
	records     = "core.records"
	events      = "core.events"
	consents    = "core.consents"
	edges       = "identity.edges"
	links       = "identity.links"
	identifiers = "identity.identifiers"
	merges      = "identity.merges"
	employers   = "identity.accounts"
	moves       = "identity.moves"
	figures     = "identity.runs"
	candidates  = "identity.candidates"
	modelsTable = "identity.models"
	quarantine  = "ops.quarantine"
)

// Reads lists the tables whose rows decide the result, Prior those of the stage
// itself, for stable ids. Any may be absent from the spec's inputs.
var (
	Reads = []string{records, events, consents}
	Prior = []string{links, identifiers, merges, moves, modelsTable}
)

// Writes lists the tables that the stage writes; the spec needs their schemas.
var Writes = []string{edges, links, identifiers, merges, employers, moves, figures, candidates, modelsTable, quarantine}

// Pipeline is the stage.
var Pipeline = pipelines.Pipeline{
	Stage:   weir.Resolve,
	Sources: []string{records, events, consents, links, identifiers, merges},
	Steps: []pipelines.Step{
		{Name: "read", Run: read},
		{Name: "match", Run: match},
		{Name: "count", Run: count},
		{Name: "scatter", Run: scatter},
		{Name: "score", Run: score},
		{Name: "partition", Run: partition},
		{Name: "own", Run: own},
		{Name: "attribute", Run: attribute},
		{Name: "place", Run: place},
		{Name: "identifiers", Run: write},
		{Name: "belong", Run: belong},
		{Name: "accounts", Run: accounts},
	},
	Outputs: outputs,
}

// outputs replaces all tables but identity.merges, identity.moves and identity.runs,
// which only grow.
func outputs(*pipelines.Spec) ([]weir.TableFiles, error) {
	return []weir.TableFiles{
		{Table: edges, Replace: true},
		{Table: links, Replace: true},
		{Table: identifiers, Replace: true},
		{Table: employers, Replace: true},
		{Table: candidates, Replace: true},
		{Table: modelsTable, Replace: true},
		{Table: quarantine, Scope: pipelines.QuarantineScope(weir.Resolve, "", ""), Replace: true},
	}, nil
}

// rules compiles identity.yaml once per process.
func rules(t *pipelines.Task) (*evidence.Rules, error) {
	p, err := pipelines.Params[Params](t)
	if err != nil {
		return nil, err
	}
	return compiled(t, p.Identity)
}

// compiled compiles the sections of identity.yaml once per process.
func compiled(t *pipelines.Task, defs []weir.IdentityDef) (*evidence.Rules, error) {
	return pipelines.Shared(t, "rules", func() (*evidence.Rules, error) { return evidence.Compile(defs) })
}
