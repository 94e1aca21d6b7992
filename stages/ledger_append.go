package stages

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/vault"
	proofs "github.com/weir-cdp/weir/policies/ledger"
)

// roundRows is how many statements are compared at once: each costs some 200 bytes.
const roundRows = 1 << 20

// ProveConsents brings the ledger up to core.consents as it is pinned: a statement
// that is new, says something else, or is gone becomes an entry. Where nothing
// changed it appends nothing and reads two small objects.
func (h *House) ProveConsents(ctx context.Context, run weir.RunID) error {
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return err
	}
	snapshot := pins[consentsTable]
	s, err := h.ledgerState(ctx)
	if err != nil || s.Covers == snapshot {
		return err
	}
	_, err = h.appendLedger(ctx, run, func(ctx context.Context, s ledgerState, a *appending) error {
		return a.difference(ctx, s.Covers, snapshot)
	})
	if err != nil {
		return err
	}
	if s, err = h.ledgerState(ctx); err != nil {
		return err
	}
	s.Covers = snapshot
	return h.writeJSON(ctx, ledgerNote, s)
}

// changedConsents gives the files of the streams that differ between two snapshots of
// core.consents, and which streams those are; nil: all, since the earlier snapshot
// is not known any more.
func (h *House) changedConsents(ctx context.Context, from, to int64) (files []weir.DataFile, streams map[string]bool, err error) {
	now, err := h.Lake.ByScope(ctx, consentsTable, to)
	if err != nil {
		return nil, nil, err
	}
	before, err := h.Lake.ByScope(ctx, consentsTable, from)
	if err != nil && weir.CodeOf(err) != weir.NotFound {
		return nil, nil, err
	}
	if known := err == nil && from != 0; known {
		streams = map[string]bool{}
	}
	for _, scope := range slices.Sorted(maps.Keys(now)) {
		if streams != nil && slices.Equal(now[scope], before[scope]) {
			continue
		}
		files = append(files, now[scope]...)
		if streams != nil {
			streams[scope] = true
		}
	}
	for scope := range before {
		if _, still := now[scope]; !still && streams != nil {
			streams[scope] = true
		}
	}
	return slices.DeleteFunc(files, func(f weir.DataFile) bool { return f.Rows == 0 }), streams, nil
}

// difference appends what core.consents says otherwise than the ledger. It works in
// rounds over ranges of salts, so that memory is bounded by a round and not by the
// table.
func (a *appending) difference(ctx context.Context, from, to int64) error {
	files, streams, err := a.changedConsents(ctx, from, to)
	if err != nil || streams != nil && len(streams) == 0 {
		return err
	}
	rounds := min(int(max(rowCount(files), a.batch.First)/roundRows)+1, vault.Shards)
	v := vault.Open(a.store(), nil)
	for r := range rounds {
		d := &statements{appending: a, files: files, streams: streams, vault: v,
			from: r * vault.Shards / rounds, to: (r + 1) * vault.Shards / rounds, persons: map[vault.Index]proofs.Person{}}
		if err := d.compare(ctx); err != nil {
			return err
		}
	}
	return nil
}

// statements is one round of a difference: the persons of some shards.
type statements struct {
	*appending
	files    []weir.DataFile
	streams  map[string]bool // nil: all
	vault    *vault.Vault
	from, to int // shards
	heads    []head
	at       map[[16]byte]int32 // by statement, in heads
	persons  map[vault.Index]proofs.Person
}

// head is the last entry of a statement.
type head struct {
	entry           int64
	statement       [16]byte
	who, commitment [16]byte
	source, stream  string
	gone, seen      bool
}

func (d *statements) compare(ctx context.Context) error {
	if err := d.vault.Load(ctx, d.from, d.to); err != nil {
		return err
	}
	if err := d.salts(ctx); err != nil {
		return err
	}
	if err := d.readHeads(ctx); err != nil {
		return err
	}
	for c, err := range rowfile.Scan[weir.Consent](ctx, d.store(), schema.Named(consentsTable), d.files) {
		if err == nil {
			err = d.statement(ctx, &c)
		}
		if err != nil {
			return err
		}
	}
	slices.SortFunc(d.heads, func(a, b head) int { return int(a.entry - b.entry) })
	for _, h := range d.heads {
		if h.seen || h.gone {
			continue
		}
		e := weir.LedgerEntry{Change: weir.LedgerGone, Statement: hex.EncodeToString(h.statement[:]), Who: "w_" + hex.EncodeToString(h.who[:]),
			Source: h.source, Stream: h.stream, Supersedes: h.entry}
		if err := d.add(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (d *statements) mine(i vault.Index) bool { return int(i[0]) >= d.from && int(i[0]) < d.to }

// salts sees to it that everybody has one, and that it survives a crash, before
// anything is sealed under it.
func (d *statements) salts(ctx context.Context) error {
	type address struct {
		ID    string `parquet:"consent_id"`
		Kind  string `parquet:"identifier_kind"`
		Value string `parquet:"identifier_value"`
	}
	lack := map[vault.Index]struct{}{}
	for c, err := range rowfile.Scan[address](ctx, d.store(), schema.Named(consentsTable), d.files) {
		if err != nil {
			return err
		}
		i := vault.IndexOf(c.Kind, c.Value)
		if !d.mine(i) {
			continue
		}
		if _, has, err := d.vault.Salt(ctx, i); err != nil {
			return err
		} else if !has {
			lack[i] = struct{}{}
		}
	}
	if len(lack) == 0 {
		return nil
	}
	return d.vault.Ensure(ctx, lack)
}

// readHeads finds what the ledger says last of each statement of this round's streams
// and persons.
func (d *statements) readHeads(ctx context.Context) error {
	d.at = map[[16]byte]int32{}
	if d.batch.First == 1 {
		return nil
	}
	ours, err := d.pseudonyms()
	if err != nil {
		return err
	}
	forgotten := map[[16]byte]int64{}
	for e, err := range d.scanHeads(ctx) {
		if err != nil {
			return err
		}
		who, err := binary16(strings.TrimPrefix(e.Who, "w_"))
		if err != nil {
			return err
		}
		if e.Change == weir.LedgerForgotten {
			forgotten[who] = max(forgotten[who], e.Entry)
			continue
		}
		if !ours[who] && ours != nil || !d.concerns(e.Source, e.Stream) {
			continue
		}
		h := head{entry: e.Entry, who: who, source: e.Source, stream: e.Stream, gone: e.Change == weir.LedgerGone}
		if h.statement, err = binary16(e.Statement); err != nil {
			return err
		}
		if !h.gone {
			if h.commitment, err = binary16(e.Commitment); err != nil {
				return err
			}
		}
		at, known := d.at[h.statement]
		switch {
		case !known:
			d.at[h.statement] = int32(len(d.heads))
			d.heads = append(d.heads, h)
		case d.heads[at].entry < h.entry:
			d.heads[at] = h
		}
	}
	for i := range d.heads { // of persons who were forgotten nothing more is said
		if d.heads[i].entry < forgotten[d.heads[i].who] {
			d.heads[i].gone = true
		}
	}
	return nil
}

// pseudonyms are those of this round's persons; nil in a single round: all.
func (d *statements) pseudonyms() (map[[16]byte]bool, error) {
	if d.from == 0 && d.to == vault.Shards {
		return nil, nil
	}
	ours := map[[16]byte]bool{}
	return ours, d.vault.Each(func(s vault.Salt) error {
		p, err := proofs.NewPerson(s[:])
		if err != nil {
			return err
		}
		who, err := binary16(strings.TrimPrefix(p.Who, "w_"))
		ours[who] = true
		return err
	})
}

func (d *statements) concerns(source, stream string) bool {
	return d.streams == nil || d.streams[source+"/"+stream]
}

// statement compares one of core.consents with the ledger.
func (d *statements) statement(ctx context.Context, c *weir.Consent) error {
	i := vault.IndexOf(c.Kind, c.Value)
	if !d.mine(i) {
		return nil
	}
	p, err := d.person(ctx, i)
	if err != nil {
		return err
	}
	id, err := binary16(p.Statement(c.ID))
	if err != nil {
		return err
	}
	at, known := d.at[id]
	if !known {
		return d.state(ctx, p, c, weir.LedgerStated, 0)
	}
	h := &d.heads[at]
	said, err := binary16(p.Commitment(c))
	switch {
	case err != nil:
		return err
	case h.seen:
		return nil
	case h.gone:
		h.seen = true
		return d.state(ctx, p, c, weir.LedgerStated, h.entry)
	case h.commitment == said:
		h.seen = true
		return nil
	}
	h.seen = true
	return d.state(ctx, p, c, weir.LedgerRestated, h.entry)
}

func (a *appending) state(ctx context.Context, p proofs.Person, c *weir.Consent, change weir.LedgerChange, supersedes int64) error {
	e, err := p.State(c)
	if err != nil {
		return err
	}
	e.Change, e.Supersedes = change, supersedes
	return a.add(ctx, e)
}

// maxPersons bounds how many persons' keys are kept.
const maxPersons = 50_000

func (d *statements) person(ctx context.Context, i vault.Index) (proofs.Person, error) {
	if p, ok := d.persons[i]; ok {
		return p, nil
	}
	salt, ok, err := d.vault.Salt(ctx, i)
	if err == nil && !ok { // forgotten meanwhile: the next difference finds a new one
		err = weir.Errorf(weir.Conflict, "a person was forgotten while the ledger of consents was carried on").Then("run again")
	}
	if err != nil {
		return proofs.Person{}, err
	}
	p, err := proofs.NewPerson(salt[:])
	if err != nil {
		return p, err
	}
	if len(d.persons) >= maxPersons {
		clear(d.persons)
	}
	d.persons[i] = p
	return p, nil
}

func binary16(text string) (out [16]byte, err error) {
	if len(text) != 32 {
		return out, weir.Errorf(weir.Internal, "the ledger of consents holds a hash of %d digits", len(text)).Then("weir consent verify")
	}
	if _, err := hex.Decode(out[:], []byte(text)); err != nil {
		return out, weir.Errorf(weir.Internal, "the ledger of consents holds a hash that is no number").Then("weir consent verify")
	}
	return out, nil
}
