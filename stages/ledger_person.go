package stages

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/vault"
	proofs "github.com/weir-cdp/weir/policies/ledger"
)

// LedgerLine is an entry of the ledger about a person, opened.
type LedgerLine struct {
	weir.LedgerEntry
	At   time.Time     `json:"at"`             // when it became visible
	Said *weir.Consent `json:"said,omitempty"` // nil: it states nothing
}

// ledgerTables are those that ledgerOf reads.
var ledgerTables = []string{ledgerTable, batchesTable}

// ledgerPersons gives the persons of addresses, by pseudonym. An address of which the
// ledger knows nothing, or that was forgotten, has none.
func (h *House) ledgerPersons(ctx context.Context, ids weir.Identifiers) (map[string]proofs.Person, error) {
	out := map[string]proofs.Person{}
	v := vault.Open(h.store(), nil)
	for _, kind := range slices.Sorted(maps.Keys(ids)) {
		for _, value := range ids[kind] {
			salt, ok, err := v.Salt(ctx, vault.IndexOf(kind, value))
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			p, err := proofs.NewPerson(salt[:])
			if err != nil {
				return nil, err
			}
			out[p.Who] = p
		}
	}
	return out, nil
}

// ledgerOf reads what the ledger says of some addresses, the first entry first.
func (q *asking) ledgerOf(ctx context.Context, ids weir.Identifiers) ([]LedgerLine, error) {
	persons, err := q.ledgerPersons(ctx, ids)
	if err != nil || len(persons) == 0 {
		return []LedgerLine{}, err
	}
	entries, err := list[weir.LedgerEntry](ctx, q, ledgerTable, "where who in ("+literals(slices.Sorted(maps.Keys(persons)))+") order by entry")
	if err != nil {
		return nil, err
	}
	batches, err := list[weir.LedgerBatch](ctx, q, batchesTable, "where batch in (select batch from consent.ledger where who in ("+literals(slices.Sorted(maps.Keys(persons)))+"))")
	if err != nil {
		return nil, err
	}
	at := map[int64]time.Time{}
	for _, b := range batches {
		at[b.Number] = b.At
	}
	out := make([]LedgerLine, 0, len(entries))
	for _, e := range entries {
		l := LedgerLine{LedgerEntry: e, At: at[e.Batch]}
		if e.Sealed != "" {
			c, err := persons[e.Who].Open(&e)
			if err != nil {
				return nil, err
			}
			l.Said = &c
		}
		out = append(out, l)
	}
	return out, nil
}

// holding gives what entries state that hold.
func holding(lines []LedgerLine) []weir.Consent {
	entries := make([]weir.LedgerEntry, len(lines))
	said := map[int64]*weir.Consent{}
	for i, l := range lines {
		entries[i], said[l.Entry] = l.LedgerEntry, l.Said
	}
	out := []weir.Consent{}
	for _, e := range proofs.Current(entries) {
		if c := said[e.Entry]; c != nil {
			out = append(out, *c)
		}
	}
	return out
}
