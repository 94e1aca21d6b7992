package resolve

import (
	"cmp"
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// Two steps link persons to accounts: belong, by value, finds the account of each
// value; accounts, by person, lets the best kind of value decide.

// claim sends a held value to where persons and accounts meet.
func claim(t *pipelines.Task, r *evidence.Rules, h heldRow, profile string) error {
	of, why := weir.Person, evidence.Reason("")
	channel := "belong:person"
	if h.Account {
		of, channel = weir.Account, "belong:account"
	}
	switch {
	case h.Mailbox:
		why = evidence.SharedMailbox
	case h.Blocked:
		why = evidence.Configured // any reason will do
	}
	for _, c := range r.People().Claims(of, h.Kind, h.Value, why) {
		if err := pipelines.Emit(t, channel, byValue(t, c.By, c.Value), claimRow{By: c.By, Value: c.Value, Profile: profile}); err != nil {
			return err
		}
	}
	return nil
}

// belong finds the account of each value. A value of several accounts leads to
// none of them.
func belong(ctx context.Context, t *pipelines.Task) error {
	account := map[identifier]string{} // "": several
	if err := each(pipelines.Stream[claimRow](ctx, t, "account"), func(c claimRow) error {
		at := identifier{c.By, c.Value}
		if before, known := account[at]; known && before != c.Profile {
			c.Profile = ""
		}
		account[at] = c.Profile
		return nil
	}); err != nil {
		return err
	}
	ambiguous := map[identifier]bool{}
	err := each(pipelines.Stream[claimRow](ctx, t, "person"), func(c claimRow) error {
		at := identifier{c.By, c.Value}
		found, known := account[at]
		switch {
		case !known:
			return nil
		case found == "":
			ambiguous[at] = true
			return nil
		}
		return pipelines.Emit(t, "employer", byRecord(t, c.Profile), employerRow{Profile: c.Profile, Account: found, By: c.By, Value: c.Value})
	})
	t.Count("accounts_ambiguous", int64(len(ambiguous)))
	return err
}

// accounts writes one partition of identity.accounts: of each person the links by
// the kind of value that stands first in `people: {by: …}`.
func accounts(ctx context.Context, t *pipelines.Task) error {
	r, err := rules(t)
	if err != nil {
		return err
	}
	rows, err := pipelines.Read[employerRow](ctx, t, "employer")
	if err != nil {
		return err
	}
	rank := r.People().Rank
	slices.SortFunc(rows, func(a, b employerRow) int {
		return cmp.Or(cmp.Compare(a.Profile, b.Profile), cmp.Compare(rank(a.By), rank(b.By)),
			cmp.Compare(a.Account, b.Account), cmp.Compare(a.Value, b.Value))
	})
	w, err := pipelines.Output[weir.AccountLink](t, employers, "")
	if err != nil {
		return err
	}
	var last employerRow
	for _, e := range rows {
		same := e.Profile == last.Profile
		if e == last || same && e.By != last.By {
			continue
		}
		if !same {
			t.Count("people_of_accounts", 1)
		}
		last = e
		t.Count("accounts_by_"+e.By, 1)
		if err := w.Write(weir.AccountLink{ProfileID: e.Profile, AccountID: e.Account, By: e.By, Value: e.Value}); err != nil {
			return err
		}
	}
	return nil
}
