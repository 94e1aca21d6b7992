package resolve

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// write writes one partition of identity.identifiers, where attribute could not.
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
	out := identifierTable{task: t}
	for _, k := range rows {
		if k.Node {
			p, ok := placed[valueHash(k.Kind, k.Value)]
			if !ok {
				return weir.Errorf(weir.Internal, "an identifier seen in events was not placed")
			}
			k.Profile, k.Ambiguous = p.Profile, p.Ambiguous
		}
		if err := out.write(k); err != nil {
			return err
		}
	}
	return nil
}

// identifierTable writes rows of identity.identifiers in their order.
type identifierTable struct {
	task *pipelines.Task
	to   func(weir.IdentifierOwner) error // nil before the first row
}

func (x *identifierTable) write(k knownRow) error {
	if x.to == nil {
		w, err := pipelines.Output[weir.IdentifierOwner](x.task, identifiers, "")
		if err != nil {
			return err
		}
		x.to = w.Write
	}
	if k.Ambiguous {
		x.task.Count("identifiers_ambiguous", 1)
	}
	return x.to(weir.IdentifierOwner{Kind: k.Kind, Value: k.Value, ProfileID: k.Profile, Ambiguous: k.Ambiguous})
}
