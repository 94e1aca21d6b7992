package ledger

import (
	"fmt"
	"slices"

	"github.com/weir-cdp/weir"
)

// Fault is one thing that is wrong with a ledger.
type Fault struct {
	Batch   int64  `json:"batch"`
	Entry   int64  `json:"entry,omitempty"` // 0: the batch's record
	Problem string `json:"problem"`
}

func (f Fault) String() string {
	if f.Entry == 0 {
		return fmt.Sprintf("batch %d: %s", f.Batch, f.Problem)
	}
	return fmt.Sprintf("batch %d, entry %d: %s", f.Batch, f.Entry, f.Problem)
}

// maxFaults bounds what a verifier gathers.
const maxFaults = 50

// Verifier checks a ledger whose entries it is given in the order of their numbers.
type Verifier struct {
	batches []weir.LedgerBatch
	at      int   // the batch of the next entry
	next    int64 // the next entry
	tree    Tree
	sound   bool // nothing was wrong with an entry of this batch
	faults  []Fault
}

// NewVerifier checks the batches' own records: numbers, first entries and chain.
func NewVerifier(batches []weir.LedgerBatch) *Verifier {
	v := &Verifier{batches: slices.Clone(batches), next: 1, sound: true}
	slices.SortStableFunc(v.batches, func(a, b weir.LedgerBatch) int { return int(a.Number - b.Number) })
	var before *weir.LedgerBatch
	kept := v.batches[:0]
	for i := range v.batches {
		b := v.batches[i]
		want := Next(before)
		switch {
		case b.Number < want.Number:
			v.fault(b.Number, 0, "its record is there twice")
			continue
		case b.Number > want.Number:
			for n := want.Number; n < b.Number && len(v.faults) < maxFaults; n++ {
				v.fault(n, 0, "its record is gone")
			}
		case b.First != want.First:
			v.fault(b.Number, 0, fmt.Sprintf("it begins with entry %d, not %d", b.First, want.First))
		case b.Previous != want.Previous:
			v.fault(b.Number, 0, "it does not follow from the batch before")
		}
		if Chain(&b) != b.Chain {
			v.fault(b.Number, 0, "its record was altered")
		}
		kept = append(kept, b)
		before = &b
	}
	v.batches = kept
	return v
}

func (v *Verifier) fault(batch, entry int64, problem string) {
	if len(v.faults) < maxFaults {
		v.faults = append(v.faults, Fault{batch, entry, problem})
	}
}

// Add takes the next entry.
func (v *Verifier) Add(e *weir.LedgerEntry) error {
	if e.Entry < v.next {
		v.sound = false
		v.fault(e.Batch, e.Entry, "there is another of its number")
		return nil
	}
	if err := v.skip(e.Entry); err != nil {
		return err
	}
	if v.at == len(v.batches) {
		v.fault(e.Batch, e.Entry, "no batch covers it: it was inserted, or its batch's record is gone")
		return nil
	}
	v.next = e.Entry + 1
	b := v.batches[v.at]
	switch {
	case e.Entry < b.First: // lies in the gap of a batch whose record is gone, which is told
		return nil
	case e.Batch != b.Number:
		v.sound = false
		v.fault(b.Number, e.Entry, fmt.Sprintf("it says that it is of batch %d", e.Batch))
	case Leaf(e) != e.LeafHash:
		v.sound = false
		v.fault(b.Number, e.Entry, "it was altered: it does not fit its hash")
	}
	if err := v.tree.append(leaf(e)); err != nil {
		return err
	}
	return v.finish(v.next)
}

// skip goes to an entry's number; those between are gone.
func (v *Verifier) skip(to int64) error {
	for v.at < len(v.batches) && v.next < to {
		b := v.batches[v.at]
		if first := max(v.next, b.First); first < min(to, b.First+b.Count) {
			last := min(to, b.First+b.Count) - 1
			v.sound = false
			if first == last {
				v.fault(b.Number, first, "it is gone")
			} else {
				v.fault(b.Number, first, fmt.Sprintf("it and those up to entry %d are gone", last))
			}
		}
		v.next = min(to, b.First+b.Count)
		if err := v.finish(v.next); err != nil {
			return err
		}
	}
	v.next = max(v.next, to)
	return nil
}

// finish compares a batch's root once all its entries were there.
func (v *Verifier) finish(next int64) error {
	for v.at < len(v.batches) && next >= v.batches[v.at].First+v.batches[v.at].Count {
		b := v.batches[v.at]
		root, err := v.tree.Root()
		if err != nil {
			return err
		}
		if root != b.Root && v.sound {
			v.fault(b.Number, b.First, fmt.Sprintf("its root is not that of its entries %d to %d: one of them was altered together with its hash", b.First, b.First+b.Count-1))
		}
		v.at, v.tree, v.sound = v.at+1, Tree{}, true
	}
	return nil
}

// Finish tells what is wrong, once all entries were added; nothing, of a ledger that
// is whole. head is the last batch, in its number and chain.
func (v *Verifier) Finish() (faults []Fault, head weir.LedgerBatch, err error) {
	if n := len(v.batches); n > 0 {
		head = v.batches[n-1]
		if err := v.skip(head.First + head.Count); err != nil {
			return nil, head, err
		}
	}
	slices.SortStableFunc(v.faults, func(a, b Fault) int {
		if a.Batch != b.Batch {
			return int(a.Batch - b.Batch)
		}
		return int(a.Entry - b.Entry)
	})
	return v.faults, head, nil
}
