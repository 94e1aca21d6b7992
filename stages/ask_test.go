package stages

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// village is a small lake, filled row by row.
type village struct {
	*House
	t     *testing.T
	n     int
	clock time.Time
}

func newVillage(t *testing.T) *village { return villageBehind(t, nil) }

// villageBehind is a village whose store is behind something.
func villageBehind(t *testing.T, wrap func(http.Handler) http.Handler) *village {
	t.Helper()
	dir := t.TempDir()
	c := objecttest.Config(t, wrap)
	lake, err := lakehouse.Open(t.Context(), lakehouse.Config{Object: c, Catalog: lakehouse.CatalogConfig{Type: "sqlite", Path: filepath.Join(dir, "catalog.db")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lake.Close() })
	v := &village{t: t, clock: noon}
	v.House = &House{Lake: lake, Connectors: map[string]connectors.Connector{}, Dir: dir, Log: slog.New(slog.DiscardHandler),
		Clock: func() time.Time { return v.clock },
		Session: func(ctx context.Context) (*sql.Internal, error) {
			return sql.OpenInternal(ctx, sql.Options{Store: lake.Store(), TempDir: dir, MemoryLimit: 256 << 20, Threads: 1})
		},
		Analyst: func(ctx context.Context) (*sql.Session, error) {
			return sql.Open(ctx, sql.Options{Store: lake.Store(), TempDir: dir, MemoryLimit: 256 << 20, Threads: 1})
		},
		Gate: func(ctx context.Context, _ *project.Project) (*policies.Gate, error) {
			return policies.Load(ctx, policies.Options{})
		}}
	return v
}

// put makes rows a table's scope and pins it, as a stage does.
func put[T any](v *village, t schema.Table, stage weir.Stage, scope string, rows ...T) {
	v.t.Helper()
	ctx := v.t.Context()
	table, err := v.Lake.Ensure(ctx, t)
	if err != nil {
		v.t.Fatal(err)
	}
	w, err := rowfile.NewTableWriter[T](ctx, v.Lake.Store(), table, scope)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			v.t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		v.t.Fatal(err)
	}
	v.n++
	run := weir.Run{Workspace: "shop", ID: weir.NewRunID(noon.Add(time.Duration(v.n)*time.Second), "aa"), Now: noon}
	_, err = v.House.commit(ctx, result{Manifest: weir.Manifest{Run: run, Stage: stage, Tables: []weir.TableFiles{
		{Table: t.Name, Scope: scope, Replace: t.Name != "activation.deliveries", Files: files}}, Counts: map[string]int64{}}})
	if err != nil {
		v.t.Fatal(err)
	}
}

func putNamed[T any](v *village, name string, stage weir.Stage, rows ...T) {
	v.t.Helper()
	put(v, schema.Named(name), stage, "", rows...)
}

var types = map[string]weir.AttributeType{"email": weir.Text, "given_name": weir.Text, "birth_date": weir.Date, "points": weir.Number}

// people fills a village: Jo of two records, Al apart, a shared phone, an old id.
func people(t *testing.T) *village {
	v := newVillage(t)
	ids := func(pairs ...string) weir.Identifiers {
		out := weir.Identifiers{}
		for i := 0; i < len(pairs); i += 2 {
			out.Add(pairs[i], pairs[i+1])
		}
		return out
	}
	hub := "+33100000000"
	put(v, schema.Records(types), weir.Conform, "",
		weir.Record{ID: "crm/c/1", Kind: weir.Person, Source: "crm", Stream: "c", ObservedAt: noon, Identifiers: ids("email", "jo@x.org", "phone", hub)},
		weir.Record{ID: "crm/c/2", Kind: weir.Person, Source: "crm", Stream: "c", Identifiers: ids("email", "al@x.org", "phone", hub)},
		weir.Record{ID: "shop/u/1", Kind: weir.Person, Source: "shop", Stream: "u", Identifiers: ids("email", "jo@x.org", "user_id", "7")})
	putNamed(v, "core.events", weir.Conform,
		weir.Event{ID: "e1", Name: "Order Completed", OccurredAt: noon.Add(-time.Hour), ReceivedAt: noon, Identifiers: ids("user_id", "7"), Properties: map[string]string{"revenue": "12.50"}},
		weir.Event{ID: "e2", Name: "Order Completed", OccurredAt: noon.Add(-2 * time.Hour), ReceivedAt: noon, Identifiers: ids("email", "al@x.org", "user_id", "7"), Properties: map[string]string{"revenue": "1"}})
	putNamed(v, "core.consents", weir.Conform,
		weir.Consent{ID: "n1", Kind: "email", Value: "jo@x.org", Purpose: "marketing.newsletter", Channel: "email", Action: weir.Granted, Jurisdiction: "FR", Basis: "consent", OccurredAt: noon.Add(-48 * time.Hour), RecordedAt: noon.Add(-48 * time.Hour), Proof: "form"},
		weir.Consent{ID: "n2", Kind: "user_id", Value: "7", Purpose: "marketing.newsletter", Channel: "sms", Action: weir.Withdrawn, Jurisdiction: "FR", OccurredAt: noon.Add(-24 * time.Hour), RecordedAt: noon.Add(-24 * time.Hour)})
	putNamed(v, "identity.links", weir.Resolve, weir.Link{RecordID: "crm/c/1", ProfileID: "p_jo"}, weir.Link{RecordID: "crm/c/2", ProfileID: "p_al"}, weir.Link{RecordID: "shop/u/1", ProfileID: "p_jo"})
	putNamed(v, "identity.edges", weir.Resolve,
		weir.Edge{Left: "crm/c/1", Right: "crm/c/2", Rule: "phone_and_name", Weight: 3, Probability: 0.8, RefusedBy: "customer_id limit 1"},
		weir.Edge{Left: "crm/c/1", Right: "shop/u/1", Rule: "same_email", Weight: 10, Probability: 0.99, Used: true})
	putNamed(v, "identity.identifiers", weir.Resolve,
		weir.IdentifierOwner{Kind: "email", Value: "al@x.org", ProfileID: "p_al"}, weir.IdentifierOwner{Kind: "email", Value: "jo@x.org", ProfileID: "p_jo"},
		weir.IdentifierOwner{Kind: "phone", Value: hub, Ambiguous: true}, weir.IdentifierOwner{Kind: "user_id", Value: "7", ProfileID: "p_jo"})
	putNamed(v, "identity.merges", weir.Resolve,
		weir.Merge{RunID: "r", At: noon, Change: "merge", From: "p_old", To: "p_jo", Reason: "same_email"}, weir.Merge{RunID: "r", At: noon, Change: "retire", From: "p_gone"})
	put(v, schema.Profiles(types), weir.Unify, "",
		weir.Profile{ID: "p_al", Kind: weir.Person, Attributes: map[string]string{"email": "al@x.org", "given_name": "Al"}, Identifiers: ids("email", "al@x.org", "phone", hub), Records: 1},
		weir.Profile{ID: "p_jo", Kind: weir.Person, Attributes: map[string]string{"email": "jo@x.org", "given_name": "Jo", "birth_date": "1990-01-02", "points": "12.5"},
			Identifiers: ids("email", "jo@x.org", "phone", hub, "user_id", "7"), FirstSeenAt: noon, LastSeenAt: noon, Records: 2})
	putNamed(v, "core.lineage", weir.Unify, weir.Lineage{ProfileID: "p_jo", Field: "given_name", RecordID: "crm/c/1", Rule: "latest", ObservedAt: noon})
	putNamed(v, "core.traits", weir.Segment, weir.TraitValue{ProfileID: "p_jo", Trait: "ltv", Number: "12.5"}, weir.TraitValue{ProfileID: "p_jo", Trait: "seen", Time: noon})
	putNamed(v, "segment.memberships", weir.Segment, weir.Membership{Segment: "all", ProfileID: "p_al", EnteredAt: noon}, weir.Membership{Segment: "all", ProfileID: "p_jo", EnteredAt: noon},
		weir.Membership{Segment: "vip", ProfileID: "p_jo", EnteredAt: noon})
	return v
}

func TestProfileByEveryReference(t *testing.T) {
	v := people(t)
	for _, ref := range []string{"p_jo", "p_old", "crm/c/1", "email:jo@x.org", "email: JO@X.org", "user_id:7"} {
		p, err := v.Profile(t.Context(), ref)
		if err != nil {
			t.Fatalf("%s: %v", ref, err)
		}
		if p.Profile.ID != "p_jo" || len(p.Records) != 2 || (p.Who.Was != "") != (ref == "p_old") {
			t.Errorf("%s leads to %+v", ref, p.Who)
		}
	}
	p, err := v.Profile(t.Context(), "p_jo")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Accounts) != 0 || p.Staff.People != 0 { // before there is such a table
		t.Errorf("accounts %+v, staff %+v", p.Accounts, p.Staff)
	}
	if a := p.Profile.Attributes; a["birth_date"] != "1990-01-02" || a["points"] != "12.5" || a["given_name"] != "Jo" {
		t.Errorf("attributes %v", a)
	}
	if len(p.Lineage) != 1 || p.Lineage[0].Value != "Jo" || p.Lineage[0].RecordID != "crm/c/1" || !p.Lineage[0].ObservedAt.Equal(noon) {
		t.Errorf("lineage %+v", p.Lineage)
	}
	if len(p.Traits) != 2 || p.Traits[0].Value != "12.5" || !strings.HasPrefix(p.Traits[1].Value, "2026-03-01T12:00:00") {
		t.Errorf("traits %+v", p.Traits)
	}
	if len(p.Segments) != 2 || len(p.Consents) != 2 || p.Consents[0].ID != "n1" || len(p.Merges) != 1 {
		t.Errorf("segments %v, consents %v, merges %v", p.Segments, p.Consents, p.Merges)
	}
}

func TestReferencesThatLeadNowhere(t *testing.T) {
	v := people(t)
	for ref, want := range map[string]weir.Code{"p_none": weir.NotFound, "p_gone": weir.NotFound, "crm/c/9": weir.NotFound,
		"email:no@x.org": weir.NotFound, "shoe:44": weir.NotFound, "phone:+33100000000": weir.Conflict} {
		_, err := v.Profile(t.Context(), ref)
		if weir.CodeOf(err) != want {
			t.Errorf("%s: %v", ref, err)
		}
	}
	_, err := newVillage(t).Profile(t.Context(), "p_jo")
	if weir.CodeOf(err) != weir.NotFound {
		t.Errorf("an empty lake: %v", err)
	}
	_, err = v.Profile(t.Context(), "phone:+33100000000")
	if !strings.Contains(err.Error(), "p_al, p_jo") {
		t.Errorf("a shared value names its holders: %v", err)
	}
}
