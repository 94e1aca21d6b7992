package stages

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/vault"
	proofs "github.com/weir-cdp/weir/policies/ledger"
)

// Forgetting says who has a person forgotten by the ledger, and why. Neither names the
// person: both stay in the clear for good.
type Forgetting struct {
	Addresses weir.Identifiers
	Author    string
	Reason    string
	// Held allows it although core.consents still says something of the person: the
	// next difference seals that anew, under another salt.
	Held bool
}

// Forgotten is what forgetting came to.
type Forgotten struct {
	Addresses int    `json:"addresses"` // that had a salt
	Entries   int    `json:"entries"`   // whose personal part nobody can read any more
	Head      string `json:"head"`
}

// ForgetConsents destroys the salts of a person's addresses, so that what the ledger
// has sealed of them can't be read any more, in no snapshot. That it was done is an
// entry, made before the salts go: after a crash between the two, done again it goes
// on. NotFound: the ledger knows nothing of the addresses.
func (h *House) ForgetConsents(ctx context.Context, f Forgetting) (Forgotten, error) {
	var out Forgotten
	if err := f.check(); err != nil {
		return out, err
	}
	persons, err := h.ledgerPersons(ctx, f.Addresses)
	if err != nil {
		return out, err
	}
	if len(persons) == 0 {
		// An attempt that broke off may have left the salts in an older version.
		if err := vault.Open(h.store(), nil).Sweep(ctx); err != nil {
			return out, err
		}
		return out, weir.Errorf(weir.NotFound, "the ledger of consents knows nothing of this address").Then("weir consent history shows what it knows")
	}
	if !f.Held {
		if err := h.stillSaid(ctx, f.Addresses); err != nil {
			return out, err
		}
	}
	whos := slices.Sorted(maps.Keys(persons))
	batch, err := h.appendLedger(ctx, weir.NewRunID(h.Clock(), "forget"), func(ctx context.Context, _ ledgerState, a *appending) error {
		done := map[string]bool{}
		out.Entries = 0
		for e, err := range a.scanHeads(ctx) {
			if err != nil {
				return err
			}
			if _, mine := persons[e.Who]; mine {
				if done[e.Who] = done[e.Who] || e.Change == weir.LedgerForgotten; e.Change == weir.LedgerStated || e.Change == weir.LedgerRestated {
					out.Entries++
				}
			}
		}
		for _, who := range whos {
			if !done[who] {
				if err := a.add(ctx, weir.LedgerEntry{Change: weir.LedgerForgotten, Who: who, Author: strings.TrimSpace(f.Author), Reason: strings.TrimSpace(f.Reason)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	var indexes []vault.Index
	for _, kind := range slices.Sorted(maps.Keys(f.Addresses)) {
		for _, value := range f.Addresses[kind] {
			indexes = append(indexes, vault.IndexOf(kind, value))
		}
	}
	out.Head = proofs.Head(batch)
	out.Addresses, err = vault.Open(h.store(), nil).Destroy(ctx, indexes)
	return out, err
}

func (f Forgetting) check() error {
	for name, text := range map[string]string{"author": f.Author, "reason": f.Reason} {
		switch {
		case strings.TrimSpace(text) == "":
			return weir.Errorf(weir.Invalid, "forgetting a person needs %s", map[string]string{"author": "an author", "reason": "a reason, for those who ask later"}[name]).Then("--" + name + " TEXT")
		case len([]rune(text)) > maxReason || strings.ContainsFunc(text, unicode.IsControl):
			return weir.Errorf(weir.Invalid, "--%s is one line of at most %d characters", name, maxReason)
		}
		for _, values := range f.Addresses {
			for _, v := range values {
				if strings.Contains(strings.ToLower(text), strings.ToLower(v)) {
					return weir.Errorf(weir.Invalid, "--%s names the address, and would stay in the ledger for good", name).Then("name a ticket instead")
				}
			}
		}
	}
	return nil
}

// stillSaid refuses where core.consents still holds statements about the addresses.
func (h *House) stillSaid(ctx context.Context, ids weir.Identifiers) error {
	q, err := h.ask(ctx, consentsTable)
	if err != nil {
		return err
	}
	defer q.close()
	said, err := q.consentsOf(ctx, ids)
	if err == nil && len(said) > 0 {
		err = weir.Errorf(weir.Conflict, "core.consents still holds statements about this address: the next run would seal them anew").
			Then("erase them at their source first and run weir run; what was recorded by hand has no source: --although-held")
	}
	return err
}
