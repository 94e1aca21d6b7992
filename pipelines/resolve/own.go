package resolve

import (
	"context"
	"math"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// own passes the profile of each record on to all tasks of attribute.
func own(_ context.Context, t *pipelines.Task) error {
	for i := range max(1, t.Spec().Partitions) {
		if err := t.Pass("link", "attribute:link", i); err != nil {
			return err
		}
	}
	return nil
}

// owners are the profiles of all records, by the task that read them and their place.
type owners map[int32][]string

// allOwners holds the profiles of all records, once per process: the records that hold
// the values of one partition lie everywhere.
func allOwners(ctx context.Context, t *pipelines.Task) (owners, error) {
	return pipelines.Shared(t, "owners", func() (owners, error) {
		rows, err := pipelines.Read[linkRow](ctx, t, "link")
		if err != nil {
			return nil, err
		}
		sizes := map[int32]int{}
		for i := range rows {
			task, n := splitPlace(rows[i].Place)
			if n >= sizes[task] {
				sizes[task] = n + 1
			}
		}
		of := make(owners, len(sizes))
		for task, n := range sizes {
			of[task] = make([]string, n)
		}
		for i := range rows {
			task, n := splitPlace(rows[i].Place)
			of[task][n] = rows[i].Profile
		}
		return of, nil
	})
}

func splitPlace(place int64) (task int32, n int) {
	return int32(place >> 32), int(place & math.MaxUint32)
}

// at is the profile of the record at a place.
func (o owners) at(place int64) (string, error) {
	task, n := splitPlace(place)
	if of := o[task]; n < len(of) && of[n] != "" {
		return of[n], nil
	}
	return "", weir.Errorf(weir.Internal, "a record has no profile")
}

// owned says what a record of a profile tells of the owner of a value.
func owned(r *evidence.Rules, h heldRow, profile string) ownedRow {
	// A person's account_id leads to the account, never to the person.
	foreign := !h.Account && r.IsAccounts(h.Kind)
	return ownedRow{Kind: h.Kind, Value: h.Value, Profile: profile, Blocked: h.Blocked || foreign, Account: h.Account}
}
