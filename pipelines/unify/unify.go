package unify

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// LineageSecret names the workspace's secret that keys the hashes of values in
// core.lineage (pipelines.Task.Secret).
const LineageSecret = "lineage"

// Params is what the stage's plan fixes beside the inputs.
type Params struct {
	Identity []weir.IdentityDef `json:"identity"` // of person and account
	// AttributeTypes gives the declared attributes; of the records' attributes
	// those that core.profiles has a column for are taken.
	AttributeTypes map[string]weir.AttributeType `json:"attribute_types"`
}

// Pipeline reads core.records, identity.links and identity.identifiers and
// writes core.profiles and core.lineage. It needs the secret LineageSecret.
var Pipeline = pipelines.Pipeline{
	Stage:   weir.Unify,
	Sources: []string{"core.records", "identity.links", "identity.identifiers"},
	Steps: []pipelines.Step{
		{Name: "scatter", Run: scatter},
		{Name: "join", Run: join},
		{Name: "golden", Run: golden},
	},
	Outputs: func(*pipelines.Spec) ([]weir.TableFiles, error) {
		return []weir.TableFiles{{Table: "core.profiles", Replace: true}, {Table: "core.lineage", Replace: true}}, nil
	},
}

// scatter sends records and links to their record's partition, identifiers to
// their profile's.
func scatter(ctx context.Context, t *pipelines.Task) error {
	n := t.Spec().Partitions
	table, _, _ := t.Source()
	switch table {
	case "core.records":
		for r, err := range pipelines.Rows[weir.Record](ctx, t) {
			if err != nil {
				return err
			}
			if err := pipelines.Emit(t, "records", pipelines.PartitionOf(r.ID, n), rowOf(&r)); err != nil {
				return err
			}
		}
	case "identity.links":
		for l, err := range pipelines.Rows[weir.Link](ctx, t) {
			if err != nil {
				return err
			}
			if err := pipelines.Emit(t, "links", pipelines.PartitionOf(l.RecordID, n), linkRow{l.RecordID, l.ProfileID}); err != nil {
				return err
			}
		}
	case "identity.identifiers":
		for o, err := range pipelines.Rows[weir.IdentifierOwner](ctx, t) {
			if err != nil {
				return err
			}
			if o.Ambiguous || o.ProfileID == "" {
				continue
			}
			row := ownerRow{Profile: o.ProfileID, Kind: o.Kind, Value: o.Value}
			if err := pipelines.Emit(t, "golden:owners", pipelines.PartitionOf(o.ProfileID, n), row); err != nil {
				return err
			}
		}
	default:
		return weir.Errorf(weir.Internal, "unify does not read the table").At(table)
	}
	return nil
}

// join gives each record its profile.
func join(ctx context.Context, t *pipelines.Task) error {
	links, err := pipelines.Read[linkRow](ctx, t, "links")
	if err != nil {
		return err
	}
	profileOf := make(map[string]string, len(links))
	for _, l := range links {
		profileOf[l.Record] = l.Profile
	}
	for row, err := range pipelines.Stream[recordRow](ctx, t, "records") {
		if err != nil {
			return err
		}
		if row.Profile = profileOf[row.ID]; row.Profile == "" {
			t.Count("unlinked", 1)
			continue
		}
		if err := pipelines.Emit(t, "records", pipelines.PartitionOf(row.Profile, t.Spec().Partitions), row); err != nil {
			return err
		}
	}
	return nil
}
