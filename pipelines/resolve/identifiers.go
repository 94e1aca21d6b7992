package resolve

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// write writes one partition of identity.identifiers.
func write(ctx context.Context, t *pipelines.Task) error {
	rows, err := pipelines.Read[knownRow](ctx, t, "known")
	if err != nil {
		return err
	}
	placed := map[evidence.Hash]placedRow{}
	if err := each(pipelines.Stream[placedRow](ctx, t, "placed"), func(p placedRow) error {
		placed[evidence.Hash{Hi: p.Hi, Lo: p.Lo}] = p
		return nil
	}); err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b knownRow) int {
		return compareIdentifiers(identifier{a.Kind, a.Value}, identifier{b.Kind, b.Value})
	})
	w, err := pipelines.Output[weir.IdentifierOwner](t, identifiers, "")
	if err != nil {
		return err
	}
	for _, k := range rows {
		row := weir.IdentifierOwner{Kind: k.Kind, Value: k.Value, ProfileID: k.Profile, Ambiguous: k.Ambiguous}
		if k.Node {
			p, ok := placed[valueHash(k.Kind, k.Value)]
			if !ok {
				return weir.Errorf(weir.Internal, "an identifier seen in events was not placed")
			}
			row.ProfileID, row.Ambiguous = p.Profile, p.Ambiguous
		}
		if row.Ambiguous {
			t.Count("identifiers_ambiguous", 1)
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
