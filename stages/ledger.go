package stages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	proofs "github.com/weir-cdp/weir/policies/ledger"
)

// This file is how batches of the consent ledger become visible. The one moment at
// which a batch comes to be is the creation of its object, ledger/batches/N: of
// several who append, one creates it, and it names the files with the batch's rows.
// What follows (the commits to the two tables, the row of ops.runs that pins them) is
// done by whoever comes next, if the one who created it died. So a batch is whole or
// not there, and is there once (invariants 2 and 3). The objects are also the copy of
// the chain that lies outside of the tables.

const (
	consentsTable = "core.consents"
	ledgerTable   = "consent.ledger"
	batchesTable  = "consent.batches"

	ledgerPrefix = "ledger/batches/"
	ledgerNote   = "ledger/head.json"
)

// ledgerAttempts bounds how often an append begins again because another came first.
const ledgerAttempts = 10

// sealedBatch is the object of one batch.
type sealedBatch struct {
	Batch   weir.LedgerBatch `json:"batch"`
	Entries []weir.DataFile  `json:"entries"` // files of consent.ledger
	Record  []weir.DataFile  `json:"record"`  // the file of consent.batches
}

// ledgerState is where the ledger stands, as noted in the store: a short way, that is
// found again where it is missing.
type ledgerState struct {
	Batch weir.LedgerBatch `json:"batch"` // the last one; number 0: none
	// Covers is the snapshot of core.consents whose statements are all in the ledger.
	Covers int64 `json:"covers"`
}

func batchKey(n int64) string { return fmt.Sprintf("%s%012d.json", ledgerPrefix, n) }

// ledgerState tells where the ledger stands, once a batch that was left half visible
// is finished.
func (h *House) ledgerState(ctx context.Context) (ledgerState, error) {
	var s ledgerState
	noted := h.readJSON(ctx, ledgerNote, &s)
	switch {
	case weir.CodeOf(noted) == weir.NotFound:
		last, err := h.lastSealed(ctx)
		if err != nil || last == 0 {
			return s, err
		}
		s.Batch.Number = last - 1 // its last step may be missing: do it again
	case noted != nil:
		return s, noted
	}
	for {
		var sealed sealedBatch
		err := h.readJSON(ctx, batchKey(s.Batch.Number+1), &sealed)
		if weir.CodeOf(err) == weir.NotFound {
			return s, nil
		}
		if err == nil {
			err = h.finishBatch(ctx, sealed)
		}
		if err != nil {
			return s, err
		}
		s.Batch = sealed.Batch
		if err := h.writeJSON(ctx, ledgerNote, s); err != nil {
			return s, err
		}
	}
}

// lastSealed is the number of the last batch that has an object.
func (h *House) lastSealed(ctx context.Context) (last int64, err error) {
	for o, err := range h.store().List(ctx, ledgerPrefix) {
		if err != nil {
			return 0, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(o.Key, ledgerPrefix), ".json")
		if n, err := strconv.ParseInt(name, 10, 64); err == nil {
			last = max(last, n)
		}
	}
	return last, nil
}

// finishBatch makes a sealed batch visible. Done twice it changes nothing.
func (h *House) finishBatch(ctx context.Context, s sealedBatch) error {
	batches, err := h.batches(ctx)
	if err != nil {
		return err
	}
	there := false
	for _, b := range batches {
		there = there || b.Number == s.Batch.Number
	}
	id := "ledger/" + strconv.FormatInt(s.Batch.Number, 10)
	row := weir.StageRun{RunID: s.Batch.RunID, Stage: weir.Ledger, StartedAt: s.Batch.At, EndedAt: s.Batch.At, Now: s.Batch.At, Status: Done,
		RowsOut: s.Batch.Count, Counts: map[string]int64{"ledger_batch": s.Batch.Number}, Snapshots: map[string]int64{}}
	for _, t := range []struct {
		name  string
		files []weir.DataFile
	}{{ledgerTable, s.Entries}, {batchesTable, s.Record}} { // the record last: it says that the rows are there
		if there {
			snap, err := h.Lake.Current(ctx, t.name)
			if err != nil {
				return err
			}
			row.Snapshots[t.name] = snap.ID
			continue
		}
		snap, err := h.Lake.Commit(ctx, lakehouse.Commit{ID: id + "/" + t.name, Table: t.name, Scopes: []weir.TableFiles{{Table: t.name, Files: t.files}}})
		if err != nil {
			return err
		}
		row.Snapshots[t.name] = snap.ID
	}
	return h.Lake.RecordRun(ctx, row)
}

// batches reads the records of all batches as they were committed last.
func (h *House) batches(ctx context.Context) ([]weir.LedgerBatch, error) {
	snap, err := h.Lake.Current(ctx, batchesTable)
	if weir.CodeOf(err) == weir.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t, files, err := h.pinned(ctx, batchesTable, snap.ID)
	if err != nil {
		return nil, err
	}
	var out []weir.LedgerBatch
	for b, err := range rowfile.Scan[weir.LedgerBatch](ctx, h.store(), t, files) {
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// appending is a batch that is being written.
type appending struct {
	*House
	batch weir.LedgerBatch
	tree  proofs.Tree
	table schema.Table
	out   *rowfile.TableWriter[weir.LedgerEntry] // nil: nothing yet
}

// add appends an entry.
func (a *appending) add(ctx context.Context, e weir.LedgerEntry) (err error) {
	if a.out == nil {
		if a.table, err = a.Lake.Ensure(ctx, schema.Named(ledgerTable)); err != nil {
			return err
		}
		if a.out, err = rowfile.NewTableWriter[weir.LedgerEntry](ctx, a.store(), a.table, ""); err != nil {
			return err
		}
	}
	e.Batch, e.Entry = a.batch.Number, a.batch.First+a.batch.Count
	if err := a.tree.Append(&e); err != nil {
		return err
	}
	a.batch.Count++
	return a.out.Write(e)
}

func (a *appending) abort() {
	if a.out != nil {
		a.out.Abort()
	}
}

// seal creates the batch's object; false: another batch of its number came first.
func (a *appending) seal(ctx context.Context) (s sealedBatch, created bool, err error) {
	if s.Entries, err = a.out.Close(); err != nil {
		return s, false, err
	}
	if a.batch.Root, err = a.tree.Root(); err != nil {
		return s, false, err
	}
	a.batch.Chain = proofs.Chain(&a.batch)
	s.Batch = a.batch
	t, err := a.Lake.Ensure(ctx, schema.Named(batchesTable))
	if err != nil {
		return s, false, err
	}
	w, err := rowfile.NewTableWriter[weir.LedgerBatch](ctx, a.store(), t, "")
	if err != nil {
		return s, false, err
	}
	if err := w.Write(a.batch); err != nil {
		w.Abort()
		return s, false, err
	}
	if s.Record, err = w.Close(); err != nil {
		return s, false, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return s, false, weir.Errorf(weir.Internal, "encode a batch: %w", err)
	}
	created, err = a.store().PutIfAbsent(ctx, batchKey(a.batch.Number), text)
	return s, created, err
}

// appendLedger appends what fill adds as one batch, and none if it adds nothing. fill
// is called again where another batch came first. It gives the last batch then.
func (h *House) appendLedger(ctx context.Context, run weir.RunID, fill func(ctx context.Context, s ledgerState, a *appending) error) (weir.LedgerBatch, error) {
	for range ledgerAttempts {
		s, err := h.ledgerState(ctx)
		if err != nil {
			return s.Batch, err
		}
		a := &appending{House: h, batch: proofs.Next(&s.Batch)}
		a.batch.RunID, a.batch.At = run, h.Clock().UTC().Truncate(time.Microsecond)
		if err := fill(ctx, s, a); err != nil {
			a.abort()
			return s.Batch, err
		}
		if a.batch.Count == 0 {
			return s.Batch, nil
		}
		sealed, created, err := a.seal(ctx)
		if err != nil {
			a.abort()
			return s.Batch, err
		}
		if !created {
			continue
		}
		if err := h.finishBatch(ctx, sealed); err != nil {
			return s.Batch, err
		}
		s.Batch = sealed.Batch
		return s.Batch, h.writeJSON(ctx, ledgerNote, s)
	}
	return weir.LedgerBatch{}, weir.Errorf(weir.Conflict, "others append to the ledger of consents all the time").Then("try again")
}

// afterConform appends what changed in core.consents. A ledger that is damaged keeps
// nobody's withdrawal from taking effect: it is told with the run, which goes on.
func (h *House) afterConform(ctx context.Context, run weir.Run, row *weir.StageRun) error {
	err := h.settleRecorded(ctx, run.ID)
	if err == nil {
		err = h.ProveConsents(ctx, run.ID)
	}
	var known *weir.Error
	if err == nil || ctx.Err() != nil || !errors.As(err, &known) || known.Code == weir.Unavailable || known.Code == weir.Conflict {
		return err
	}
	row.Status = Partial
	row.Error = strings.TrimPrefix(row.Error+"\nthe ledger of consents could not be carried on: "+err.Error(), "\n")
	return nil
}

// followsLedger tells, in ops.runs, on which entries decisions rest: those up to this
// head of the ledger.
const followsLedger = "ledger"

// ledgerHead is the ledger's head for what follows it; a ledger that can't be read is
// told by conform, and stops no decision.
func (h *House) ledgerHead(ctx context.Context) (string, error) {
	s, err := h.ledgerState(ctx)
	if code := weir.CodeOf(err); err != nil && ctx.Err() == nil && code != weir.Unavailable && code != weir.Conflict {
		return "", nil
	}
	return proofs.Head(s.Batch), err
}
