package stages

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// rawTable is a raw table whose columns grow while its splits are read.
type rawTable struct {
	lake *lakehouse.Lake
	mu   sync.Mutex
	now  schema.Table
}

func openRaw(ctx context.Context, lake *lakehouse.Lake, name string) (*rawTable, error) {
	t, err := lake.Describe(ctx, name)
	if weir.CodeOf(err) == weir.NotFound {
		t, err = schema.Raw(name, arrow.NewSchema(nil, nil))
	}
	return &rawTable{lake: lake, now: t}, err
}

// admit makes room for a batch's columns: a new one is added, a wider type
// widens, a narrower or other one stays as it is (its values are converted).
func (r *rawTable) admit(ctx context.Context, s *arrow.Schema) (schema.Table, error) {
	if err := distinct(s); err != nil {
		return schema.Table{}, err.At(r.now.Name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	want, err := schema.Raw(r.now.Name, s)
	if err != nil {
		return want, err
	}
	next := r.now
	next.Columns = slices.Clone(next.Columns)
	changed := next.Columns == nil
	for _, c := range want.Columns {
		i := slices.IndexFunc(next.Columns, func(h schema.Column) bool { return strings.EqualFold(h.Name, c.Name) })
		switch {
		case i < 0:
			c.ID, c.Sub = 0, nil
			next.Columns, changed = append(next.Columns, c), true
		case next.Columns[i].Type != c.Type && next.Columns[i].Type.Widens(c.Type):
			next.Columns[i].Type, changed = c.Type, true
		}
	}
	if changed || next.Columns[0].ID == 0 {
		if r.now, err = r.lake.Ensure(ctx, next); err != nil {
			return next, err
		}
	}
	return r.now, nil
}

// distinct refuses columns that SQL could not tell apart (it takes no notice of
// case), or that would hide Weir's own. A column that comes back in another case
// later is the same column, under its first spelling.
func distinct(s *arrow.Schema) *weir.Error {
	seen := map[string]string{}
	for _, f := range s.Fields() {
		folded := strings.ToLower(f.Name)
		if other, twice := seen[folded]; twice {
			return weir.Errorf(weir.Invalid, "columns %q and %q have the same name", other, f.Name).Then("rename one of them at the source")
		}
		if strings.HasPrefix(folded, "_weir_") {
			return weir.Errorf(weir.Invalid, "column %q has a name that is Weir's own", f.Name).Then("rename it at the source")
		}
		seen[folded] = f.Name
	}
	return nil
}

// indexOf finds a column, whatever its case; -1 without one.
func indexOf(s *arrow.Schema, name string) int {
	return slices.IndexFunc(s.Fields(), func(f arrow.Field) bool { return strings.EqualFold(f.Name, name) })
}
