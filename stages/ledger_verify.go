package stages

import (
	"context"
	"fmt"
	"sort"

	"github.com/weir-cdp/weir"
	proofs "github.com/weir-cdp/weir/policies/ledger"
)

// LedgerReport says whether the ledger is whole.
type LedgerReport struct {
	Batches int64          `json:"batches"`
	Entries int64          `json:"entries"`
	Head    string         `json:"head"` // to note down: a later verify can be told to expect it
	Faults  []proofs.Fault `json:"faults"`
}

// VerifyLedger recomputes every leaf, root and link of the ledger, and compares its
// end with the copy of the chain that lies outside of the tables. expect, which may
// be empty, is a head that somebody noted: it must be in the chain.
func (h *House) VerifyLedger(ctx context.Context, expect string) (LedgerReport, error) {
	out := LedgerReport{Faults: []proofs.Fault{}}
	number, chain, err := int64(0), "", error(nil)
	if expect != "" {
		if number, chain, err = proofs.ReadHead(expect); err != nil {
			return out, err
		}
	}
	state, err := h.ledgerState(ctx)
	if err != nil {
		return out, err
	}
	batches, err := h.batches(ctx)
	if err != nil {
		return out, err
	}
	v := proofs.NewVerifier(batches)
	for e, err := range h.ledgerEntries(ctx) {
		if err == nil {
			out.Entries++
			err = v.Add(&e)
		}
		if err != nil {
			return out, err
		}
	}
	faults, last, err := v.Finish()
	if err != nil {
		return out, err
	}
	out.Faults = append(out.Faults, faults...)
	out.Batches, out.Head = int64(len(batches)), proofs.Head(last)
	byNumber := map[int64]weir.LedgerBatch{}
	for _, b := range batches {
		byNumber[b.Number] = b
	}
	outside, err := h.outside(ctx, byNumber, state)
	if err != nil {
		return out, err
	}
	out.Faults = append(out.Faults, outside...)
	if b := byNumber[number]; expect != "" && number > 0 && b.Chain != chain {
		problem := "it is not the batch that was noted: the ledger was rewritten since"
		if b.Number == 0 {
			problem = "it was noted, and is gone: the ledger was cut since"
		}
		out.Faults = append(out.Faults, proofs.Fault{Batch: number, Problem: problem})
	}
	return out, nil
}

// outside compares the chain with its copy in the object store. Since each link
// covers all before it, it is enough to look at the last, and to search for the first
// that differs.
func (h *House) outside(ctx context.Context, batches map[int64]weir.LedgerBatch, state ledgerState) ([]proofs.Fault, error) {
	last, err := h.lastSealed(ctx)
	if err != nil {
		return nil, err
	}
	last = max(last, state.Batch.Number)
	var faults []proofs.Fault
	for n := range batches {
		if n > last {
			faults = append(faults, proofs.Fault{Batch: n, Problem: "nothing outside of the table knows of it"})
		}
	}
	end := last
	for ; end > 0 && batches[end].Number == 0; end-- {
	}
	switch end {
	case last:
	case last - 1:
		faults = append(faults, proofs.Fault{Batch: last, Problem: "it is gone: the chain was cut"})
	default:
		faults = append(faults, proofs.Fault{Batch: end + 1, Problem: fmt.Sprintf("it and those up to batch %d are gone: the chain was cut", last)})
	}
	var failed error
	differs := func(n int64) bool {
		var s sealedBatch
		err := h.readJSON(ctx, batchKey(n), &s)
		if weir.CodeOf(err) == weir.NotFound {
			s.Batch.Chain = "" // an object that is gone vouches for nothing
		} else if err != nil {
			failed = err
		}
		return s.Batch.Chain != batches[n].Chain || batches[n].Number == 0
	}
	if end > 0 && differs(end) {
		first := int64(sort.Search(int(end), func(i int) bool { return differs(int64(i) + 1) })) + 1
		faults = append(faults, proofs.Fault{Batch: first, Problem: "its record is not the one that was sealed outside of the table"})
	}
	return faults, failed
}
