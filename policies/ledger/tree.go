package ledger

import (
	"encoding/hex"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/weir-cdp/weir"
)

// leafFormat begins every leaf: what it hashes, and in which order.
const leafFormat = "weir consent.ledger 1"

// Leaf is an entry's leaf hash: RFC 6962 over all columns but the hash itself.
func Leaf(e *weir.LedgerEntry) string { return hex.EncodeToString(leaf(e)) }

func leaf(e *weir.LedgerEntry) []byte {
	b := make(canonical, 0, 640)
	b.text(leafFormat)
	b.number(e.Entry, e.Batch, e.Supersedes)
	b.text(string(e.Change), e.Statement, e.Who, e.Kind, e.Purpose, e.Channel, string(e.Action), e.Basis, e.Jurisdiction, e.Notice, e.NoticeHash,
		e.Method, e.Source, e.Stream, e.MappingVersion, e.Sealed, e.Commitment, e.Author, e.Reason)
	b.flag(e.Explicit)
	b.time(e.OccurredAt, e.RecordedAt, e.ExpiresAt)
	return rfc6962.DefaultHasher.HashLeaf(b)
}

// Tree sums up the leaves of one batch, in their order, in logarithmic memory. Its
// zero value is an empty tree.
type Tree struct {
	r     *compact.Range
	visit compact.VisitFn
}

var ranges = &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

func (t *Tree) append(hash []byte) error {
	if t.r == nil {
		t.r = ranges.NewEmptyRange(0)
	}
	if err := t.r.Append(hash, t.visit); err != nil {
		return weir.Errorf(weir.Internal, "hash a batch: %w", err)
	}
	return nil
}

// Append adds the entry's leaf and sets its hash.
func (t *Tree) Append(e *weir.LedgerEntry) error {
	h := leaf(e)
	e.LeafHash = hex.EncodeToString(h)
	return t.append(h)
}

// Root is the Merkle tree hash of all leaves.
func (t *Tree) Root() (string, error) {
	if t.r == nil {
		return hex.EncodeToString(rfc6962.DefaultHasher.EmptyRoot()), nil
	}
	root, err := t.r.GetRootHash(nil)
	if err != nil {
		return "", weir.Errorf(weir.Internal, "hash a batch: %w", err)
	}
	return hex.EncodeToString(root), nil
}

// Inclusion proves that a leaf is in a batch: RFC 6962, 2.1.1.
type Inclusion struct {
	Index uint64   `json:"index"` // of the entry in its batch, from 0
	Size  uint64   `json:"size"`  // of the batch
	Path  []string `json:"path"`  // hex, from the leaf upwards
}

// Proofs computes the audit paths of some leaves of one batch, whose leaf hashes it
// is given one after the other.
type Proofs struct {
	tree  Tree
	nodes map[compact.NodeID][]byte
	want  map[uint64]proof.Nodes
	size  uint64
}

// NewProofs prepares for a batch of that size and the leaves of these indexes.
func NewProofs(size uint64, indexes []uint64) (*Proofs, error) {
	p := &Proofs{nodes: map[compact.NodeID][]byte{}, want: map[uint64]proof.Nodes{}, size: size}
	for _, i := range indexes {
		n, err := proof.Inclusion(i, size)
		if err != nil {
			return nil, weir.Errorf(weir.Internal, "prove an entry: %w", err)
		}
		p.want[i] = n
		for _, id := range n.IDs {
			p.nodes[id] = nil
		}
	}
	p.tree.visit = func(id compact.NodeID, hash []byte) {
		if _, wanted := p.nodes[id]; wanted {
			p.nodes[id] = hash
		}
	}
	return p, nil
}

// Add takes the next leaf's hash.
func (p *Proofs) Add(leafHash string) error {
	h, err := hex.DecodeString(leafHash)
	if err != nil {
		return weir.Errorf(weir.Invalid, "a leaf hash is no number")
	}
	return p.tree.append(h)
}

// Of gives the proof of one leaf, once all leaves were added.
func (p *Proofs) Of(index uint64) (Inclusion, error) {
	out := Inclusion{Index: index, Size: p.size, Path: []string{}}
	n := p.want[index]
	hashes := make([][]byte, len(n.IDs))
	for i, id := range n.IDs {
		if hashes[i] = p.nodes[id]; hashes[i] == nil {
			return out, weir.Errorf(weir.Internal, "prove an entry: a leaf is missing")
		}
	}
	path, err := n.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return out, weir.Errorf(weir.Internal, "prove an entry: %w", err)
	}
	for _, h := range path {
		out.Path = append(out.Path, hex.EncodeToString(h))
	}
	return out, nil
}

// Check says whether a proof leads from an entry to a batch's root.
func (i Inclusion) Check(e *weir.LedgerEntry, root string) bool {
	want, err := hex.DecodeString(root)
	if err != nil {
		return false
	}
	path := make([][]byte, len(i.Path))
	for n, text := range i.Path {
		if path[n], err = hex.DecodeString(text); err != nil {
			return false
		}
	}
	return proof.VerifyInclusion(rfc6962.DefaultHasher, i.Index, i.Size, leaf(e), path, want) == nil
}
