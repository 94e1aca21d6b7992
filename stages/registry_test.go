package stages

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	unifier "github.com/weir-cdp/weir/pipelines/unify"
	"github.com/weir-cdp/weir/project"
)

// registry is a village whose records are resolved by the real stages.
type registry struct {
	*village
	project *project.Project
	records map[string]weir.Record
	events  []weir.Event
	runs    int
	types   map[string]weir.AttributeType
}

func newRegistry(t *testing.T) *registry { return registryOf(newVillage(t)) }

func registryOf(v *village) *registry {
	r := &registry{village: v, records: map[string]weir.Record{}, types: map[string]weir.AttributeType{"given_name": weir.Text}, project: &project.Project{Name: "shop", Timezone: "UTC",
		Identity: []weir.IdentityDef{{Kind: weir.Person, Order: []string{"customer_id", "email", "phone"},
			Identifiers: map[string]weir.IdentifierRule{"customer_id": {Limit: 1, Hard: true}, "email": {}, "phone": {}}}},
		Segments: []weir.SegmentDef{{Name: "buyers", Of: weir.Person,
			Where: weir.Condition{IsEvent: true, Event: "Order Completed", Count: []weir.Comparison{{Op: "at_least", Values: []string{"2"}}}}}}}}
	stage := map[weir.Stage]pipelines.Pipeline{weir.Train: resolver.Training, weir.Resolve: resolver.Pipeline, weir.Increment: resolver.Increment, weir.Unify: unifier.Pipeline, weir.Segment: segments.Pipeline, weir.SegmentIncrement: segments.Increment}
	r.Pipeline = func(ctx context.Context, key string, _ func(weir.Progress)) error {
		spec, err := pipelines.ReadSpec(ctx, r.Lake.Store(), key)
		if err != nil {
			return err
		}
		_, err = pipelines.RunLocal(ctx, r.Lake.Store(), key, stage[spec.Stage], map[string]string{unifier.LineageSecret: "s"})
		return err
	}
	return r
}

// add tells of a record SOURCE/KEY with kind=value of identifiers.
func (r *registry) add(id string, fields ...string) {
	source, key, _ := strings.Cut(id, "/")
	rec := weir.Record{ID: source + "/c/" + key, Kind: weir.Person, Source: source, Stream: "c", ObservedAt: noon, Attributes: map[string]string{"given_name": key}, Identifiers: weir.Identifiers{}}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		rec.Identifiers.Add(k, v)
	}
	r.records[rec.ID] = rec
}

func (r *registry) order(kind, value string) {
	ids := weir.Identifiers{}
	ids.Add(kind, value)
	r.events = append(r.events, weir.Event{ID: fmt.Sprintf("e%03d", len(r.events)), Name: "Order Completed", OccurredAt: noon.Add(-time.Hour), ReceivedAt: noon, Identifiers: ids})
}

// settle writes the records and runs stages; it returns the row of each.
func (r *registry) settle(stages ...weir.Stage) (rows []weir.StageRun) {
	r.t.Helper()
	r.tell()
	ctx := r.t.Context()
	key, err := r.Apply(ctx, r.project)
	if err != nil {
		r.t.Fatal(err)
	}
	r.runs++
	now := noon.Add(time.Duration(r.runs) * time.Minute)
	run := weir.Run{Workspace: "shop", ID: weir.NewRunID(now, "r"), Now: now, Project: key}
	for _, name := range stages {
		s := r.All()[name]
		plan, err := s.Plan(ctx, run, "")
		if err != nil {
			r.t.Fatal(err)
		}
		var row weir.StageRun
		if plan.Unchanged {
			row, err = s.Keep(ctx, run, "")
		} else {
			var manifest string
			if manifest, err = s.Run(ctx, plan.Spec, func(weir.Progress) {}); err == nil {
				row, err = s.Commit(ctx, manifest)
			}
		}
		if err != nil {
			r.t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// tell writes the records and events as conform would.
func (r *registry) tell() {
	r.t.Helper()
	var recs []weir.Record
	for _, id := range slices.Sorted(maps.Keys(r.records)) {
		recs = append(recs, r.records[id])
	}
	put(r.village, schema.Records(r.types), weir.Conform, "", recs...)
	putNamed(r.village, "core.events", weir.Conform, r.events...)
}

func rowsOf[T any](r *registry, table, rest string) []T {
	r.t.Helper()
	q, err := r.ask(r.t.Context(), table)
	if err != nil {
		r.t.Fatal(err)
	}
	defer q.close()
	rows, err := list[T](r.t.Context(), q, table, rest)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// links is which profile each record is of.
func (r *registry) links() map[string]string {
	out := map[string]string{}
	for _, l := range rowsOf[weir.Link](r, "identity.links", "") {
		out[l.RecordID] = l.ProfileID
	}
	return out
}

func (r *registry) draft(o DecisionOrder) Draft {
	r.t.Helper()
	if o.Reason == "" {
		o.Reason = "because"
	}
	o.Author = "ann"
	d, err := r.DraftDecision(r.t.Context(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *registry) decide(o DecisionOrder) Draft {
	r.t.Helper()
	d := r.draft(o)
	if err := r.RecordDecision(r.t.Context(), d); err != nil {
		r.t.Fatal(err)
	}
	return d
}
