package stages

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	conformer "github.com/weir-cdp/weir/pipelines/conform"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
	proofs "github.com/weir-cdp/weir/policies/ledger"
	"github.com/weir-cdp/weir/project"
)

// This file is how statements that people record by hand reach core.consents: in a
// scope of Weir's own, which no source's stream replaces. A statement is first noted
// as an object, then committed, pinned and taken into the ledger; whoever comes next
// does what a crash left undone.

// recordedSource and recordedStream are those of statements that people record with
// `weir consent record`; no project may have a source of the name.
const (
	recordedSource = "weir"
	recordedStream = "desk"
	recordedScope  = recordedSource + "/" + recordedStream

	recordedPrefix = "ledger/recorded/"
)

// ConsentOrder is a statement that somebody records by hand.
type ConsentOrder struct {
	About                               string // KIND:VALUE, or an e-mail address
	Purpose, Channel, Action, Basis     string
	Explicit                            bool
	Jurisdiction, Proof, Method, Signal string
	Notice                              string
	NoticeText                          []byte // as it was shown; only its hash is kept
	Author                              string // who records it
	Guardian                            bool   // a parent or guardian said it
	OccurredAt, ExpiresAt               time.Time
}

// RecordedConsent says what was recorded.
type RecordedConsent struct {
	Statement weir.Consent     `json:"statement"`
	Batch     weir.LedgerBatch `json:"batch"` // the last one of the ledger, which holds it
	Head      string           `json:"head"`
	// Nobody says that no profile holds the address now, as where it is misspelt.
	Nobody bool `json:"nobody,omitempty"`
}

// RecordConsent records a statement. It counts at once: for the next decision, and for
// what is being delivered. Invalid: the order makes no sense, with the nearest word
// where one is not known.
func (h *House) RecordConsent(ctx context.Context, p *project.Project, o ConsentOrder) (RecordedConsent, error) {
	c, err := h.ordered(ctx, p, o)
	if err != nil {
		return RecordedConsent{}, err
	}
	out := RecordedConsent{Statement: c}
	text, err := json.Marshal(c)
	if err != nil {
		return out, weir.Errorf(weir.Internal, "encode a statement: %w", err)
	}
	if _, err := h.store().PutIfAbsent(ctx, recordedPrefix+strings.TrimPrefix(c.ID, recordedScope+"/")+".json", text); err != nil {
		return out, err
	}
	if err := h.settleRecorded(ctx, weir.NewRunID(c.RecordedAt, "record")); err != nil {
		return out, err
	}
	s, err := h.ledgerState(ctx)
	out.Batch, out.Head, out.Nobody = s.Batch, proofs.Head(s.Batch), h.heldByNobody(ctx, c)
	return out, err
}

// heldByNobody looks whether an address leads to no profile. That the look fails is no
// error of a statement that is recorded by then.
func (h *House) heldByNobody(ctx context.Context, c weir.Consent) bool {
	q, err := h.ask(ctx, whoTables...)
	if err != nil {
		return false
	}
	defer q.close()
	_, err = q.who(ctx, c.Kind+":"+c.Value)
	return weir.CodeOf(err) == weir.NotFound
}

// settleRecorded takes what was recorded and not yet committed into core.consents and
// the ledger.
func (h *House) settleRecorded(ctx context.Context, run weir.RunID) error {
	var keys []string
	var said []weir.Consent
	for o, err := range h.store().List(ctx, recordedPrefix) {
		if err != nil {
			return err
		}
		var c weir.Consent
		if err := h.readJSON(ctx, o.Key, &c); weir.CodeOf(err) == weir.NotFound {
			continue // another process is done with it
		} else if err != nil {
			return err
		}
		keys, said = append(keys, o.Key), append(said, c)
	}
	if len(keys) == 0 {
		return nil
	}
	for _, c := range said {
		if err := h.commitRecorded(ctx, run, c); err != nil {
			return err
		}
	}
	if err := h.ProveConsents(ctx, run); err != nil {
		return err
	}
	return h.store().Delete(ctx, keys...)
}

// commitRecorded adds a statement to core.consents and pins it. It builds on what was
// committed last, pinned or not: of a conform under way nothing is taken back.
func (h *House) commitRecorded(ctx context.Context, run weir.RunID, c weir.Consent) error {
	t, err := h.Lake.Ensure(ctx, schema.Named(consentsTable))
	if err != nil {
		return err
	}
	snap, err := h.Lake.Current(ctx, consentsTable)
	if err != nil {
		return err
	}
	there, err := h.recorded(ctx, snap.ID, c.ID)
	if err != nil {
		return err
	}
	if !there {
		w, err := rowfile.NewTableWriter[weir.Consent](ctx, h.store(), t, recordedScope)
		if err != nil {
			return err
		}
		if err := w.Write(c); err != nil {
			w.Abort()
			return err
		}
		files, err := w.Close()
		if err != nil {
			return err
		}
		if snap, err = h.Lake.Commit(ctx, lakehouse.Commit{ID: "recorded/" + c.ID, Table: consentsTable,
			Scopes: []weir.TableFiles{{Table: consentsTable, Scope: recordedScope, Files: files}}}); err != nil {
			return err
		}
	}
	return h.Lake.RecordRun(ctx, weir.StageRun{RunID: run, Stage: weir.Ledger, Part: recordedStream, StartedAt: c.RecordedAt, EndedAt: c.RecordedAt, Now: c.RecordedAt,
		Status: Done, RowsOut: 1, Snapshots: map[string]int64{consentsTable: snap.ID}})
}

// recorded tells whether a statement of Weir's own scope is in a snapshot.
func (h *House) recorded(ctx context.Context, snapshot int64, id string) (bool, error) {
	scopes, err := h.Lake.ByScope(ctx, consentsTable, snapshot)
	if err != nil {
		return false, err
	}
	type key struct {
		ID string `parquet:"consent_id"`
	}
	for k, err := range rowfile.Scan[key](ctx, h.store(), schema.Named(consentsTable), scopes[recordedScope]) {
		if err != nil || k.ID == id {
			return err == nil, err
		}
	}
	return false, nil
}

// ordered turns an order into a statement.
func (h *House) ordered(ctx context.Context, p *project.Project, o ConsentOrder) (weir.Consent, error) {
	now := h.Clock().UTC().Truncate(time.Microsecond)
	c := weir.Consent{Basis: "consent", Explicit: o.Explicit, OccurredAt: o.OccurredAt, RecordedAt: now, ExpiresAt: o.ExpiresAt, Method: "desk",
		Source: recordedSource, Stream: recordedStream, Actor: strings.TrimSpace(o.Author), Notice: o.Notice, RawSignal: o.Signal}
	if c.OccurredAt.IsZero() {
		c.OccurredAt = now
	}
	if err := o.address(p, &c); err != nil {
		return c, err
	}
	if err := o.words(p, &c); err != nil {
		return c, err
	}
	purposes, err := h.purposesFor(ctx, p, c.Action, c.Purpose, now)
	if err != nil {
		return c, err
	}
	if !spokenOf(purposes, c.Purpose) || c.Action == weir.Granted && c.Purpose != "" && !slices.Contains(purposes, c.Purpose) {
		if c.Action != weir.Granted {
			purposes = append(purposes, useWords...)
		}
		return c, unknownWord("purpose", o.Purpose, purposes)
	}
	for _, f := range []struct{ name, text string }{{"author", o.Author}, {"proof", o.Proof}, {"notice", o.Notice}, {"basis", o.Basis}, {"method", o.Method}} {
		if len([]rune(f.text)) > maxReason || strings.ContainsFunc(f.text, unicode.IsControl) {
			return c, weir.Errorf(weir.Invalid, "--%s is one line of at most %d characters", f.name, maxReason)
		}
	}
	for to, text := range map[*string]string{&c.Basis: o.Basis, &c.Method: o.Method} {
		if text != "" {
			if *to, err = standard.Token(text, &standard.Context{}); err != nil {
				return c, weir.Errorf(weir.Invalid, "%q can't be used: %w", text, err)
			}
		}
	}
	if c.Proof = strings.TrimSpace(o.Proof); o.Guardian {
		c.Proof, c.Actor = strings.TrimSpace(c.Proof+" (recorded by "+c.Actor+")"), "guardian"
	}
	if len(o.NoticeText) > 0 {
		sum := sha256.Sum256(o.NoticeText)
		c.NoticeHash = hex.EncodeToString(sum[:])
	}
	if err := o.check(&c, now); err != nil {
		return c, err
	}
	var id [10]byte
	if _, err := rand.Read(id[:]); err != nil {
		return c, weir.Errorf(weir.Internal, "draw an id: %w", err)
	}
	c.ID = recordedScope + "/" + now.Format("20060102T150405Z") + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(id[:]))
	return c, nil
}

// address reads whom the statement is about.
func (o ConsentOrder) address(p *project.Project, c *weir.Consent) error {
	kinds := p.IdentifierKinds()
	var err error
	if c.Kind, c.Value, err = Address(o.About); err == nil && !slices.Contains(kinds, c.Kind) && !weir.IsAddress(c.Kind) {
		err = unknownWord("identifier", c.Kind, kinds)
	}
	return err
}

// Address reads KIND:VALUE or an e-mail address, with the value as tables have it.
func Address(ref string) (kind, value string, err error) {
	m := identifierForm.FindStringSubmatch(reference(ref))
	if m == nil {
		return "", "", weir.Errorf(weir.Invalid, "%q is no address", ref).Then("write KIND:VALUE, such as email:jo@example.org")
	}
	all := spellings(m[1], m[2])
	return m[1], all[len(all)-1], nil
}

// channelWords are the channels that mappings know too.
var channelWords = []string{"call", "device", "email", "phone", "post", "push", "sms", "web", "whatsapp"}

// useWords are what opt-outs of US law may name as their purpose.
var useWords = []string{"profiling", "sale", "sensitive", "share", "targeted_ads"}

// words reads purpose, channel and action, of which the last two have to be known.
func (o ConsentOrder) words(p *project.Project, c *weir.Consent) error {
	none := &standard.Context{}
	purpose, err := standard.Token(o.Purpose, none)
	if err != nil {
		return weir.Errorf(weir.Invalid, "--purpose: %w", err)
	}
	does, known := standard.Action(o.Action, purpose)
	if !known {
		return unknownWord("action", o.Action, actionWords)
	}
	channel, err := standard.Channel(o.Channel, none)
	if err != nil {
		return weir.Errorf(weir.Invalid, "--channel: %w", err)
	}
	channels := slices.Clone(channelWords)
	for _, a := range p.Activations {
		channels = append(channels, a.Channel)
	}
	if channel != "" && !slices.Contains(channels, channel) {
		return unknownWord("channel", o.Channel, channels)
	}
	if o.Jurisdiction != "" {
		if c.Jurisdiction, err = conformer.Jurisdiction(o.Jurisdiction); err != nil {
			return weir.Errorf(weir.Invalid, "--jurisdiction %q: %w", o.Jurisdiction, err).Then("a country as in FR, or a country and region as in US-CA")
		}
	}
	c.Purpose, c.Channel, c.Action = purpose, channel, does
	return nil
}

var actionWords = []string{string(weir.Granted), string(weir.RefusedConsent), string(weir.Withdrawn), string(weir.Objected), string(weir.OptedOut), string(weir.OptedOutAds),
	string(weir.OptedOutProfiles), string(weir.LimitSensitive), string(weir.Suppressed), string(weir.Restricted), string(weir.Unrestricted), string(weir.ErasureRequested), string(weir.Signal)}

// check finds what no statement may be. What widens needs more than what restricts.
func (o ConsentOrder) check(c *weir.Consent, now time.Time) error {
	bad := func(next, format string, args ...any) error {
		return weir.Errorf(weir.Invalid, format, args...).Then(next)
	}
	switch {
	case strings.TrimSpace(o.Author) == "":
		return bad("--author NAME, or set WEIR_AUTHOR", "a statement needs an author")
	case c.OccurredAt.After(now):
		return bad("--occurred TIME, not later than now", "it can't be said in the future")
	case !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(c.OccurredAt):
		return bad("--expires TIME, later than it was said", "it ends before it begins")
	case c.Action == weir.Signal && (c.RawSignal == "" || !slices.Contains([]string{"tcf", "gpp", "usp", "gpc", "google"}, c.Method)):
		return bad("--signal TEXT --method tcf|gpp|usp|gpc|google", "a signal needs its text, and what it is")
	case !standard.Widens(c.Action):
		return nil
	case c.Action == weir.Granted && c.Purpose == "":
		return bad("--purpose NAME", "a grant needs a purpose: without one it covers nothing")
	case strings.TrimSpace(o.Proof) == "":
		return bad(`--proof "form 12, scan 2026/117"`, "what widens what may be done needs proof")
	}
	return nil
}

func unknownWord(what, word string, known []string) error {
	slices.Sort(known)
	known = slices.Compact(known)
	err := weir.Errorf(weir.Invalid, "there is no %s %q", what, word)
	if near := connectors.Nearest(word, known); near != "" {
		return err.Then("did you mean " + near + "?")
	}
	return err.Then("there are: " + strings.Join(known, ", "))
}

// reference lets an e-mail address stand for itself.
func reference(ref string) string {
	if strings.Contains(ref, "@") && !strings.ContainsAny(ref, ":/ ") {
		return "email:" + ref
	}
	return ref
}
