package resolve

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// own finds the profile of each value that a record holds.
func own(ctx context.Context, t *pipelines.Task) error {
	r, err := rules(t)
	if err != nil {
		return err
	}
	rows, err := pipelines.Read[linkRow](ctx, t, "link")
	if err != nil {
		return err
	}
	profile := make(map[string]string, len(rows))
	for _, l := range rows {
		profile[l.Record] = l.Profile
	}
	return each(pipelines.Stream[heldRow](ctx, t, "held"), func(h heldRow) error {
		p, known := profile[h.Record]
		if !known {
			return weir.Errorf(weir.Internal, "a record has no profile").At(h.Record)
		}
		if err := claim(t, r, h, p); err != nil {
			return err
		}
		return pipelines.Emit(t, "owned", byValue(t, h.Kind, h.Value), owned(r, h, p))
	})
}

// owned says what a record of a profile tells of the owner of a value.
func owned(r *evidence.Rules, h heldRow, profile string) ownedRow {
	// A person's account_id leads to the account, never to the person.
	foreign := !h.Account && r.IsAccounts(h.Kind)
	return ownedRow{Kind: h.Kind, Value: h.Value, Profile: profile, Blocked: h.Blocked || foreign, Account: h.Account}
}
