package stages

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines/resolve/decisions"
)

// DecisionOrder is what a person wants decided about identities.
type DecisionOrder struct {
	Do string // DoSplit, DoLink, DoUnlink or DoUndo
	// A and B are references: a record's id, a profile's id or KIND:VALUE. A split
	// has only A, an undo the id of the decision in A.
	A, B string
	// What moves out of a split profile: records, those of a source, those that hold
	// a KIND:VALUE.
	Records, Sources, Identifiers []string
	Reason, Author                string
}

// What can be ordered.
const (
	DoSplit  = "split"
	DoLink   = "link"
	DoUnlink = "unlink"
	DoUndo   = "undo"
)

// Draft is a decision that is not made yet.
type Draft struct {
	decisions.Decision
	// Overrules are standing decisions of which it takes something.
	Overrules []string `json:"overrules,omitempty"`
	rows      []weir.IdentityDecision
}

// maxReason bounds a reason in runes.
const maxReason = 1000

// decisionTables are those that a draft reads.
var decisionTables = append([]string{decisionsTable}, whoTables...)

// DraftDecision turns an order into a decision that can be previewed and recorded.
// Invalid: it makes no sense, and the message says why; NotFound: it names what
// there is not; Conflict: a value that leads to no single profile.
func (h *House) DraftDecision(ctx context.Context, o DecisionOrder) (Draft, error) {
	if err := o.check(); err != nil {
		return Draft{}, err
	}
	q, err := h.ask(ctx, decisionTables...)
	if err != nil {
		return Draft{}, err
	}
	defer q.close()
	all, err := q.decisions(ctx)
	if err != nil {
		return Draft{}, err
	}
	rows, err := q.rowsOf(ctx, o, all)
	if err != nil {
		return Draft{}, err
	}
	at := h.Clock().UTC().Truncate(time.Microsecond)
	if n := len(all); n > 0 && !at.After(all[n-1].At) {
		at = all[n-1].At.Add(time.Microsecond) // the last one made counts, whatever the clocks say
	}
	for i := range rows {
		rows[i].Reason, rows[i].Author, rows[i].At = strings.TrimSpace(o.Reason), strings.TrimSpace(o.Author), at
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return Draft{}, weir.Errorf(weir.Internal, "decision: %w", err)
	}
	sum := sha256.Sum256(text)
	id := "d_" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:12])
	for i := range rows {
		rows[i].ID = id
	}
	d := Draft{Decision: decisions.List(rows)[0], rows: rows}
	d.Overrules = overruled(all, append(slices.Clone(q.decisionRows), rows...), id)
	return d, nil
}

func (o DecisionOrder) check() error {
	reason := strings.TrimSpace(o.Reason)
	switch {
	case reason == "":
		return weir.Errorf(weir.Invalid, "a decision needs a reason").Then(`--reason "two people share this mailbox"`)
	case len([]rune(reason)) > maxReason || strings.ContainsFunc(reason, unicode.IsControl):
		return weir.Errorf(weir.Invalid, "a reason is one line of at most %d characters", maxReason)
	case strings.TrimSpace(o.Author) == "":
		return weir.Errorf(weir.Invalid, "a decision needs an author").Then("--author NAME, or set WEIR_AUTHOR")
	}
	return nil
}

// rowsOf makes a decision's rows, without its id.
func (q *asking) rowsOf(ctx context.Context, o DecisionOrder, all []decisions.Decision) ([]weir.IdentityDecision, error) {
	switch o.Do {
	case DoUndo:
		return undoRows(o.A, all)
	case DoSplit:
		return q.splitRows(ctx, o)
	case DoLink, DoUnlink:
		return q.pairRows(ctx, o)
	}
	return nil, weir.Errorf(weir.Internal, "%q can't be ordered", o.Do)
}

func undoRows(id string, all []decisions.Decision) ([]weir.IdentityDecision, error) {
	i := slices.IndexFunc(all, func(d decisions.Decision) bool { return d.ID == id })
	if i < 0 {
		return nil, weir.Errorf(weir.NotFound, "there is no decision %q", id).Then("weir identity decisions")
	}
	if d := all[i]; d.Gone {
		return nil, weir.Errorf(weir.Invalid, "decision %s is withdrawn already, by %s", id, d.By).Then("to give it back: weir identity undo " + d.By)
	}
	return []weir.IdentityDecision{{Change: weir.DecidedWithdrawn, Undoes: id}}, nil
}

// member is a record as a decision sees it.
type member struct {
	RecordID    string           `json:"record_id"`
	Kind        weir.Kind        `json:"kind"`
	Source      string           `json:"source"`
	ProfileID   string           `json:"profile_id"`
	Identifiers weir.Identifiers `json:"identifiers"`
}

func (m member) row(change, side string) weir.IdentityDecision {
	return weir.IdentityDecision{RecordID: m.RecordID, Change: change, Side: side, Profile: m.ProfileID}
}

func (q *asking) members(ctx context.Context, where string, args ...any) ([]member, error) {
	row := fieldsJSON([2]string{"record_id", "r.record_id"}, [2]string{"kind", "r.kind"}, [2]string{"source", "r.source"},
		[2]string{"profile_id", "l.profile_id"}, [2]string{"identifiers", "r.identifiers"})
	return decoded[member](ctx, q, "select "+row+" from core.records r join identity.links l using (record_id) where "+where+" order by r.record_id", args...)
}

func (q *asking) splitRows(ctx context.Context, o DecisionOrder) ([]weir.IdentityDecision, error) {
	who, err := q.one(ctx, o.A)
	if err != nil {
		return nil, err
	}
	members, err := q.members(ctx, "l.profile_id = ?", who.ProfileID)
	if err != nil {
		return nil, err
	}
	if len(members) < 2 {
		return nil, weir.Errorf(weir.Invalid, "profile %s has %d records: there is nothing to split", who.ProfileID, len(members)).Then("weir profile get " + who.ProfileID)
	}
	moves, err := o.pick(members, who.ProfileID)
	if err != nil {
		return nil, err
	}
	if len(moves) == 0 {
		return nil, weir.Errorf(weir.Invalid, "say which records move out").Then("--record ID, --source NAME or --identifier KIND:VALUE")
	}
	if len(moves) == len(members) {
		return nil, weir.Errorf(weir.Invalid, "all %d records of the profile would move out, and none stay", len(members)).Then("name fewer: weir profile get " + who.ProfileID)
	}
	rows := make([]weir.IdentityDecision, len(members))
	for i, m := range members {
		side := weir.SideStays
		if moves[m.RecordID] {
			side = weir.SideMoves
		}
		rows[i] = m.row(weir.DecidedApart, side)
	}
	return rows, nil
}

// pick finds the records that move; each thing named must name some.
func (o DecisionOrder) pick(members []member, profile string) (map[string]bool, error) {
	moves := map[string]bool{}
	take := func(what, name string, is func(m member) bool) error {
		found := false
		for _, m := range members {
			if is(m) {
				moves[m.RecordID], found = true, true
			}
		}
		if !found {
			return weir.Errorf(weir.Invalid, "profile %s has no record %s %s", profile, what, name).Then("its records: weir profile get " + profile)
		}
		return nil
	}
	for _, id := range o.Records {
		if err := take("with the id", id, func(m member) bool { return m.RecordID == id }); err != nil {
			return nil, err
		}
	}
	for _, source := range o.Sources {
		if err := take("of source", source, func(m member) bool { return m.Source == source }); err != nil {
			return nil, err
		}
	}
	for _, ref := range o.Identifiers {
		form := identifierForm.FindStringSubmatch(ref)
		if form == nil {
			return nil, weir.Errorf(weir.Invalid, "%q is no identifier", ref).Then("write KIND:VALUE, such as email:jo@example.org")
		}
		values := spellings(form[1], form[2])
		if err := take("that holds", ref, func(m member) bool {
			return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(m.Identifiers[form[1]], v) })
		}); err != nil {
			return nil, err
		}
	}
	return moves, nil
}

func (q *asking) pairRows(ctx context.Context, o DecisionOrder) ([]weir.IdentityDecision, error) {
	a, err := q.named(ctx, o.A)
	if err != nil {
		return nil, err
	}
	b, err := q.named(ctx, o.B)
	if err != nil {
		return nil, err
	}
	if a[0].Kind != b[0].Kind {
		return nil, weir.Errorf(weir.Invalid, "%s is of kind %s, %s of kind %s: they are never one", o.A, a[0].Kind, o.B, b[0].Kind)
	}
	for _, m := range b {
		if slices.ContainsFunc(a, func(x member) bool { return x.RecordID == m.RecordID }) {
			return nil, weir.Errorf(weir.Invalid, "record %s is on both sides", m.RecordID).
				Then("name records of both, or take some out of the profile: weir identity split " + m.ProfileID + " --record ID")
		}
	}
	var rows []weir.IdentityDecision
	for i, side := range [][]member{a, b} {
		for _, m := range side {
			if o.Do == DoLink {
				rows = append(rows, m.row(weir.DecidedTogether, ""))
			} else {
				rows = append(rows, m.row(weir.DecidedApart, []string{weir.SideStays, weir.SideMoves}[i]))
			}
		}
	}
	slices.SortFunc(rows, func(x, y weir.IdentityDecision) int { return strings.Compare(x.RecordID, y.RecordID) })
	return rows, nil
}

// named finds the records that a reference names: the record, those of the profile
// that hold the value, or all of the profile.
func (q *asking) named(ctx context.Context, ref string) ([]member, error) {
	who, err := q.one(ctx, ref)
	if err != nil {
		return nil, err
	}
	var out []member
	switch {
	case who.RecordID != "":
		out, err = q.members(ctx, "r.record_id = ?", who.RecordID)
	case who.Kind != "":
		out, err = q.members(ctx, "l.profile_id = ? and list_contains(r.identifiers[?], ?)", who.ProfileID, who.Kind, who.Value)
	default:
		out, err = q.members(ctx, "l.profile_id = ?", who.ProfileID)
	}
	if err == nil && len(out) == 0 {
		err = weir.Errorf(weir.Invalid, "no record holds %s: it was only seen in events", ref).Then("name records or profiles of records")
	}
	return out, err
}

// decisions reads what people decided; its rows stay in decisionRows.
func (q *asking) decisions(ctx context.Context) ([]decisions.Decision, error) {
	rows, err := list[weir.IdentityDecision](ctx, q, decisionsTable, "")
	q.decisionRows = rows
	return decisions.List(rows), err
}

// overruled lists standing decisions that a new one changes.
func overruled(before []decisions.Decision, after []weir.IdentityDecision, id string) []string {
	was, now := pieces(before), pieces(decisions.List(after))
	var out []string
	for _, d := range before {
		if d.ID != id && was[d.ID] != "" && was[d.ID] != now[d.ID] {
			out = append(out, d.ID)
		}
	}
	return out
}

// pieces writes what is left of each decision.
func pieces(all []decisions.Decision) map[string]string {
	together, apart := decisions.Settle(all)
	out := map[string]string{}
	for _, t := range together {
		out[all[t.Decision].ID] += "=" + strings.Join(t.Records, "\n")
	}
	for _, a := range apart {
		out[all[a.Decision].ID] += "|" + strings.Join(a.Stays, "\n") + "/" + strings.Join(a.Moves, "\n")
	}
	return out
}

// RecordDecision makes a draft a decision, in one commit: it counts from the next
// resolve on. The same draft twice is one decision.
func (h *House) RecordDecision(ctx context.Context, d Draft) error {
	t, err := h.Lake.Ensure(ctx, schema.Named(decisionsTable))
	if err != nil {
		return err
	}
	w, err := rowfile.NewTableWriter[weir.IdentityDecision](ctx, h.store(), t, "")
	if err != nil {
		return err
	}
	for _, r := range d.rows {
		if err := w.Write(r); err != nil {
			w.Abort()
			return err
		}
	}
	files, err := w.Close()
	if err != nil {
		return err
	}
	_, err = h.Lake.Commit(ctx, lakehouse.Commit{ID: "decision/" + d.ID, Table: decisionsTable,
		Scopes: []weir.TableFiles{{Table: decisionsTable, Files: files}}})
	return err
}

// ListedDecision is a decision with what became of the records that it names.
type ListedDecision struct {
	decisions.Decision
	Records int64 `json:"named"`   // how many records it names
	Missing int64 `json:"missing"` // of them, those that are no more: it waits for them
	Idle    bool  `json:"idle"`    // so many are missing that it decides nothing now
}

// IdentityDecisions lists what people decided, the latest first.
func (h *House) IdentityDecisions(ctx context.Context) ([]ListedDecision, error) {
	q, err := h.ask(ctx, decisionTables...)
	if err != nil {
		return nil, err
	}
	defer q.close()
	all, err := q.decisions(ctx)
	if err != nil {
		return nil, err
	}
	decisions.Settle(all) // marks what is overruled
	missing, err := q.column(ctx, "select distinct record_id from "+decisionsTable+" d anti join core.records r using (record_id) where record_id <> ''")
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for _, r := range missing {
		gone[r] = true
	}
	out := []ListedDecision{}
	for _, d := range slices.Backward(all) {
		l := ListedDecision{Decision: d}
		left := [2]int{}
		for i, side := range [][]string{d.Stays, d.Moves} {
			for _, r := range side {
				l.Records++
				if gone[r] {
					l.Missing++
				} else {
					left[i]++
				}
			}
		}
		switch d.Change {
		case weir.DecidedTogether:
			l.Idle = left[0] < 2
		case weir.DecidedApart:
			l.Idle = left[0] == 0 || left[1] == 0
		}
		out = append(out, l)
	}
	return out, nil
}
