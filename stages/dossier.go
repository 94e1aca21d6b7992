package stages

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
	proofs "github.com/weir-cdp/weir/policies/ledger"
	"github.com/weir-cdp/weir/project"
)

// Dossier is the evidence about one person: what was said, with proof that it is in
// the ledger; what was decided on it, and why; what was sent where. It names the
// person, and is for the person and whoever may ask for it.
type Dossier struct {
	Workspace   string             `json:"workspace"`
	Now         time.Time          `json:"now"`
	Who         Who                `json:"who"`
	Identifiers weir.Identifiers   `json:"identifiers"`
	Head        string             `json:"head"` // of the ledger
	Entries     []ProvenLine       `json:"entries"`
	Batches     []weir.LedgerBatch `json:"batches"` // of the entries
	Decisions   []ProvenDecision   `json:"decisions"`
	Sent        []weir.Delivery    `json:"sent"`
}

// ProvenLine is an entry with its way to the root of its batch.
type ProvenLine struct {
	LedgerLine
	Inclusion proofs.Inclusion `json:"inclusion"`
	Proven    bool             `json:"proven"` // the way leads there
}

// ProvenDecision is a decision, and what it rests on.
type ProvenDecision struct {
	weir.Decision
	Destination string     `json:"destination,omitempty"` // "" where the project has the activation no more
	Purpose     string     `json:"purpose"`
	Channel     string     `json:"channel"`
	Revision    string     `json:"policy_revision"`
	Basis       string     `json:"basis"`
	Reasons     []string   `json:"reasons"`
	Rules       []RuleText `json:"rules"` // that held, as the policy describes them now
	LedgerHead  string     `json:"ledger_head,omitempty"`
	RestsOn     []int64    `json:"rests_on"` // entries
}

// RuleText is a rule in words.
type RuleText struct {
	Code  string   `json:"code"`
	Title string   `json:"title"`
	Law   string   `json:"law"`
	Links []string `json:"links"`
}

// mostEvidence bounds how many decisions and deliveries a dossier lists.
const mostEvidence = 10_000

var dossierTables = slices.Concat([]string{consentsTable, "consent.decisions", "consent.classes", "activation.deliveries"}, ledgerTables, whoTables)

// Evidence gathers the dossier of a person: a profile, a record or an address.
func (h *House) Evidence(ctx context.Context, p *project.Project, ref string, now time.Time) (Dossier, error) {
	d := Dossier{Workspace: p.Name, Now: now, Identifiers: weir.Identifiers{}, Entries: []ProvenLine{}, Batches: []weir.LedgerBatch{}, Decisions: []ProvenDecision{}, Sent: []weir.Delivery{}}
	s, err := h.ledgerState(ctx)
	if err != nil {
		return d, err
	}
	d.Head = proofs.Head(s.Batch)
	q, err := h.ask(ctx, dossierTables...)
	if err != nil {
		return d, err
	}
	defer q.close()
	if d.Who, err = q.whoever(ctx, ref); err != nil {
		return d, err
	}
	if d.Who.ProfileID != "" {
		profile, err := q.golden(ctx, d.Who.ProfileID)
		if err != nil {
			return d, err
		}
		d.Identifiers = profile.Identifiers
	}
	d.Identifiers.Add(d.Who.Kind, d.Who.Value)
	if err := q.prove(ctx, &d); err != nil || d.Who.ProfileID == "" {
		return d, err
	}
	if d.Sent, err = list[weir.Delivery](ctx, q, "activation.deliveries", `where profile_id = ? order by "at", activation, sequence, delivery_id limit ?`, d.Who.ProfileID, mostEvidence); err != nil {
		return d, err
	}
	return d, q.decisionsFor(ctx, p, &d)
}

// prove reads the person's entries and their ways to the roots.
func (q *asking) prove(ctx context.Context, d *Dossier) error {
	lines, err := q.ledgerOf(ctx, d.Identifiers)
	if err != nil {
		return err
	}
	by := map[int64][]int{} // batch to entries
	for i, l := range lines {
		d.Entries = append(d.Entries, ProvenLine{LedgerLine: l})
		by[l.Batch] = append(by[l.Batch], i)
	}
	batches, err := list[weir.LedgerBatch](ctx, q, batchesTable, "order by batch")
	if err != nil {
		return err
	}
	for _, b := range batches {
		at := by[b.Number]
		if len(at) == 0 {
			continue
		}
		d.Batches = append(d.Batches, b)
		indexes := make([]uint64, len(at))
		for i, n := range at {
			indexes[i] = uint64(lines[n].Entry - b.First)
		}
		all, err := proofs.NewProofs(uint64(b.Count), indexes)
		if err != nil {
			return err
		}
		rows, err := q.sess.Side(ctx, "select leaf_hash from "+ledgerTable+" where entry between "+strconv.FormatInt(b.First, 10)+" and "+strconv.FormatInt(b.First+b.Count-1, 10)+" order by entry")
		if err != nil {
			return err
		}
		for rows.Next() {
			hash, _ := rows.Values()[0].(string)
			if err := all.Add(hash); err != nil {
				rows.Close()
				return err
			}
		}
		if err := rows.Close(); err != nil {
			return err
		}
		for i, n := range at {
			way, err := all.Of(indexes[i])
			if err != nil {
				return err
			}
			d.Entries[n].Inclusion, d.Entries[n].Proven = way, way.Check(&lines[n].LedgerEntry, b.Root)
		}
	}
	return nil
}

// decisionsFor reads what was decided about a profile, and finds the entries that each
// decision rests on: those that the ledger had when it was made, folded as it was.
func (q *asking) decisionsFor(ctx context.Context, p *project.Project, d *Dossier) error {
	made, err := list[weir.Decision](ctx, q, "consent.decisions", `where profile_id = ? order by "at", activation, decision_id limit ?`, d.Who.ProfileID, mostEvidence)
	if err != nil {
		return err
	}
	held, err := q.held(ctx, d.Who)
	if err != nil {
		return err
	}
	heads, err := q.headsOf(ctx)
	if err != nil {
		return err
	}
	gate, err := q.Gate(ctx, p)
	if weir.CodeOf(err) == weir.Invalid {
		gate, err = nil, nil // a policy that can't be used now describes nothing
	}
	if err != nil {
		return err
	}
	classes := map[string]weir.DecisionClass{}
	for _, m := range made {
		c, known := classes[m.ClassID]
		if !known {
			found, err := list[weir.DecisionClass](ctx, q, "consent.classes", "where class_id = ?", m.ClassID)
			if err != nil {
				return err
			}
			if len(found) > 0 {
				c = found[0]
			}
			classes[m.ClassID] = c
		}
		out := ProvenDecision{Decision: m, Revision: c.PolicyRevision, Basis: c.Basis, Reasons: c.Reasons, Rules: rulesFor(gate, c), LedgerHead: heads[m.RunID], RestsOn: []int64{}}
		if a, ok := p.Activation(m.Activation); ok {
			out.Destination = a.Destination
		}
		var in struct { // of what the class was asked, the part that names the use
			Activation struct{ Purpose, Channel string }
		}
		if json.Unmarshal([]byte(c.Inputs), &in) == nil { // else it is of another form, and nothing is said of it
			out.Purpose, out.Channel = in.Activation.Purpose, in.Activation.Channel
			out.RestsOn = restsOn(d, held, out)
		}
		d.Decisions = append(d.Decisions, out)
	}
	return nil
}

// headsOf tells, of runs of decide, which head of the ledger they had.
func (q *asking) headsOf(ctx context.Context) (map[weir.RunID]string, error) {
	runs, err := q.Lake.Runs(ctx)
	out := map[weir.RunID]string{}
	for _, r := range runs {
		if r.Stage == weir.Decide && r.Status != Unchanged {
			out[r.RunID] = r.Follows[followsLedger]
		}
	}
	return out, err
}

func rulesFor(gate *policies.Gate, c weir.DecisionClass) []RuleText {
	out := []RuleText{}
	if gate == nil {
		return out
	}
	for _, r := range gate.Rules() {
		// Of the rules that held, those that the answer names: its basis, or its reasons.
		if named := c.Allow && r.Name == c.Basis && slices.Contains(c.Rules, r.Code) || slices.Contains(c.Reasons, r.Code); named {
			out = append(out, RuleText{r.Code, r.Title, r.Law, r.Links})
		}
	}
	return out
}

// restsOn folds what the ledger said when a decision was made.
func restsOn(d *Dossier, held []weir.Identifiers, m ProvenDecision) []int64 {
	last, _, err := proofs.ReadHead(m.LedgerHead)
	var then []LedgerLine
	for _, e := range d.Entries {
		if err == nil && e.Batch <= last || err != nil && !e.At.After(m.At) { // no head is known of an older run
			then = append(then, e.LedgerLine)
		}
	}
	standing := holding(then)
	entry := map[string]int64{}
	for _, l := range then {
		if l.Said != nil {
			entry[l.Said.ID] = l.Entry // the last one stands
		}
	}
	s := consents.Fold(policies.Expanded(consents.Profile{Entries: standing, Held: held}), consents.Query{Purpose: m.Purpose, Channel: m.Channel, Now: m.At,
		Addresses: addressesOf(Who{ProfileID: d.Who.ProfileID}, d.Identifiers, m.Channel)})
	out := []int64{}
	for _, id := range s.Rests {
		if n, ok := entry[id]; ok {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
