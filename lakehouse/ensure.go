package lakehouse

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// tableDefaults are the properties of a new table. Iceberg's own retry stays off
// (commit.retry.num-retries is 0 for iceberg-go): it would replay a stale
// difference; Commit computes a new one instead.
var tableDefaults = iceberg.Properties{
	table.PropertyFormatVersion:               "2",
	table.MetadataDeleteAfterCommitEnabledKey: "true",
	table.MetadataPreviousVersionsMaxKey:      "50",
	table.ManifestMergeEnabledKey:             "true",
	"commit.manifest.min-count-to-merge":      "16",
	"write.parquet.compression-codec":         "zstd",
	// Expiry is Weir's (it knows the pins); other engines must not guess.
	"history.expire.max-snapshot-age-ms": "157680000000",
}

// Ensure creates a table as declared, or evolves it: missing columns are added
// as optional ones, types are widened (int to long, decimals to more digits),
// a column that is no longer always given becomes optional. Columns that the
// declaration lacks stay. It returns the declaration with field ids, types and
// nullability as the table has them; declared ids hold for a new table.
//
// A column whose type would narrow or change is weir.Invalid and nothing is
// changed. Racing calls are safe.
func (l *Lake) Ensure(ctx context.Context, want schema.Table) (schema.Table, error) {
	if err := want.Check(); err != nil {
		return schema.Table{}, err
	}
	unlock, err := l.lock(ctx, want.Name)
	if err != nil {
		return schema.Table{}, err
	}
	defer unlock()
	var got schema.Table
	err = l.retry(ctx, "ensure table", want.Name, func() (retriable bool, err error) {
		t, err := l.load(ctx, want.Name)
		if weir.CodeOf(err) == weir.NotFound {
			if err := l.create(ctx, want.WithIDs()); err != nil {
				return true, err
			}
			t, err = l.load(ctx, want.Name) // a racer's, perhaps: so it is evolved too
		}
		if err != nil {
			return false, err
		}
		if t, retriable, err = l.evolve(ctx, t, want); err != nil {
			return retriable, err
		}
		got, err = assigned(want, t)
		return false, err
	})
	return got, err
}

// Describe returns a table's declaration, all its columns included, or
// weir.NotFound.
func (l *Lake) Describe(ctx context.Context, name string) (schema.Table, error) {
	t, err := l.load(ctx, name)
	if err != nil {
		return schema.Table{}, err
	}
	return declaration(name, t)
}

func (l *Lake) create(ctx context.Context, want schema.Table) error {
	id, err := l.identifier(want.Name)
	if err != nil {
		return err
	}
	if err := l.ensureNamespace(ctx, id); err != nil {
		return err
	}
	sc, err := icebergSchema(want)
	if err != nil {
		return err
	}
	props := maps.Clone(tableDefaults)
	maps.Copy(props, declarationProperties(want))
	location := l.store.URL(tablePath(want.Name))
	if l.keepsIDs {
		_, err = l.cat.CreateTable(ctx, id, sc, catalog.WithLocation(location), catalog.WithProperties(props))
	} else {
		err = l.createByCommit(ctx, id, sc, location, props)
	}
	if err != nil && !errors.Is(err, catalog.ErrTableAlreadyExists) {
		return failed("create table", want.Name, err)
	}
	return nil
}

// createByCommit creates a table as the commit of its first metadata. A REST
// service gives the columns of a plain create new ids, in an order of its own;
// those of a commit it keeps. One that refuses this gets the plain create.
func (l *Lake) createByCommit(ctx context.Context, id table.Identifier, sc *iceberg.Schema, location string, props iceberg.Properties) error {
	set := maps.Clone(props)
	delete(set, table.PropertyFormatVersion)
	unsorted := table.UnsortedSortOrder
	updates := []table.Update{
		table.NewAssignUUIDUpdate(uuid.New()),
		table.NewUpgradeFormatVersionUpdate(2),
		table.NewAddSchemaUpdate(sc),
		table.NewSetCurrentSchemaUpdate(-1),
		table.NewAddPartitionSpecUpdate(iceberg.UnpartitionedSpec, true),
		table.NewSetDefaultSpecUpdate(-1),
		table.NewAddSortOrderUpdate(&unsorted),
		table.NewSetDefaultSortOrderUpdate(-1),
		table.NewSetLocationUpdate(location),
		table.NewSetPropertiesUpdate(set),
	}
	_, _, err := l.cat.CommitTable(ctx, id, []table.Requirement{table.AssertCreate()}, updates)
	if err == nil {
		return nil
	}
	if _, again := l.cat.LoadTable(ctx, id); again == nil {
		return catalog.ErrTableAlreadyExists
	}
	_, err = l.cat.CreateTable(ctx, id, sc, catalog.WithLocation(location), catalog.WithProperties(props))
	return err
}

// evolve changes t where want asks for more than it has. Errors about the
// declaration are final, those of the commit are worth another try.
func (l *Lake) evolve(ctx context.Context, t *table.Table, want schema.Table) (_ *table.Table, retriable bool, err error) {
	have, err := declaration(want.Name, t)
	if err != nil {
		return nil, false, err
	}
	txn, err := t.NewTransactionOnBranchWithError(table.MainBranch)
	if err != nil {
		return nil, false, failed("change table", want.Name, err)
	}
	update := txn.UpdateSchema(true, false)
	changes := 0
	for _, c := range want.Columns {
		n, err := evolveColumn(update, have, c)
		if err != nil {
			return nil, false, err
		}
		changes += n
	}
	for _, c := range have.Columns {
		if _, still := want.Column(c.Name); c.Required && !still {
			update.UpdateColumn([]string{c.Name}, table.ColumnUpdate{Required: iceberg.Optional[bool]{Valid: true}})
			changes++
		}
	}
	if changes > 0 {
		if err := update.Commit(); err != nil {
			return nil, false, weir.Errorf(weir.Internal, "can't build the changed schema: %w", err).At(want.Name)
		}
	}
	set := iceberg.Properties{}
	for k, v := range declarationProperties(want) {
		if t.Properties()[k] != v {
			set[k] = v
		}
	}
	if changes+len(set) == 0 {
		return t, false, nil
	}
	if err := txn.SetProperties(set); err != nil {
		return nil, false, failed("change table", want.Name, err)
	}
	changed, err := txn.Commit(ctx)
	return changed, true, err
}

// evolveColumn stages what column c needs and returns how many changes that is.
func evolveColumn(update *table.UpdateSchema, have schema.Table, c schema.Column) (int, error) {
	path := []string{c.Name}
	old, ok := have.Column(c.Name)
	if !ok {
		for _, h := range have.Columns {
			if strings.EqualFold(h.Name, c.Name) {
				return 0, weir.Errorf(weir.Invalid, "column %s differs from column %s by case only", c.Name, h.Name).
					At(have.Name).Then("rename one of them: SQL engines can't tell them apart")
			}
		}
		var none []int
		typ, err := icebergType(c.Type, &none)
		if err != nil {
			return 0, err
		}
		update.AddColumn(path, typ, c.Doc, false, nil)
		return 1, nil
	}
	change, n := table.ColumnUpdate{}, 0
	if old.Type != c.Type {
		typ, err := icebergType(c.Type, new([]int))
		if err != nil {
			return 0, err
		}
		if !old.Type.Widens(c.Type) {
			return 0, weir.Errorf(weir.Invalid, "column %s is %s and can't become %s", c.Name, old.Type, c.Type).
				At(have.Name).Then("declare it as " + string(old.Type) + ", or map it to a column of another name")
		}
		change.FieldType, n = iceberg.Optional[iceberg.Type]{Val: typ, Valid: true}, 1
	}
	if old.Required && !c.Required {
		change.Required, n = iceberg.Optional[bool]{Val: false, Valid: true}, 1
	}
	if n > 0 {
		update.UpdateColumn(path, change)
	}
	return n, nil
}

// assigned returns want with ids, types and nullability as the table has them.
func assigned(want schema.Table, t *table.Table) (schema.Table, error) {
	have, err := declaration(want.Name, t)
	if err != nil {
		return schema.Table{}, err
	}
	out := want
	out.Columns = make([]schema.Column, len(want.Columns))
	for i, c := range want.Columns {
		got, ok := have.Column(c.Name)
		if !ok {
			return schema.Table{}, weir.Errorf(weir.Internal, "column %s is missing after the change", c.Name).At(want.Name)
		}
		got.Doc = c.Doc
		out.Columns[i] = got
	}
	return out, nil
}
