package stages

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/project"
)

// world is a small lake whose store can fail at any request, with people, a
// segment and a tool to which its members are sent.
type world struct {
	*village
	project *project.Project
	tool    *tool
	runs    int
	at      time.Time          // the run's now
	people  map[string]citizen // by profile
	entries []weir.Consent
	// cut ends the context of the present step at the store's n-th request from now.
	cut    atomic.Int64
	counts atomic.Pointer[func(*http.Request) bool] // which requests do; nil: all
	cancel atomic.Pointer[context.CancelFunc]
	refuse atomic.Pointer[string] // to what in the store's keys there is no access; nil: to all there is
	gate   func() (*policies.Gate, error)
}

// citizen is what the tables say of one profile.
type citizen struct {
	email, name string
	member      bool
}

var builtin = sync.OnceValues(func() (*policies.Gate, error) { return policies.Load(context.Background(), policies.Options{}) })

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{at: noon, people: map[string]citizen{}, gate: builtin}
	dir := t.TempDir()
	c := objecttest.Config(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if only := w.counts.Load(); (only == nil || (*only)(r)) && w.cut.Add(-1) == 0 {
				(*w.cancel.Load())()
			}
			if part := w.refuse.Load(); part != nil && strings.Contains(r.URL.String(), *part) {
				http.Error(rw, "", http.StatusForbidden)
				return
			}
			next.ServeHTTP(rw, r)
		})
	})
	lake, err := lakehouse.Open(t.Context(), lakehouse.Config{Object: c, Catalog: lakehouse.CatalogConfig{Type: "sqlite", Path: filepath.Join(dir, "catalog.db")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lake.Close() })
	w.village = &village{t: t, clock: noon}
	w.tool = &tool{holds: map[string]string{}, seen: map[string]bool{}, sequence: map[string]int64{}, caps: connectors.Capabilities{BatchRows: 2}}
	w.House = &House{Lake: lake, Dir: dir, Log: slog.New(slog.DiscardHandler), Clock: func() time.Time { w.clock = w.clock.Add(time.Second); return w.clock },
		Pause: func(ctx context.Context, d time.Duration) error {
			w.tool.paused = append(w.tool.paused, d)
			w.clock = w.clock.Add(d)
			return ctx.Err()
		},
		Session: func(ctx context.Context) (*sql.Internal, error) {
			return sql.OpenInternal(ctx, sql.Options{Store: lake.Store(), TempDir: dir, CacheDir: filepath.Join(dir, "cache"), MemoryLimit: 256 << 20, Threads: 1})
		},
		Analyst: func(ctx context.Context) (*sql.Session, error) {
			return sql.Open(ctx, sql.Options{Store: lake.Store(), TempDir: dir, CacheDir: filepath.Join(dir, "cache"), MemoryLimit: 256 << 20, Threads: 1})
		},
		Gate: func(context.Context, *project.Project) (*policies.Gate, error) { return w.gate() },
		Connectors: map[string]connectors.Connector{"tool": {Name: "tool", OpenDestination: func(context.Context, connectors.Env, connectors.Settings) (connectors.Destination, error) {
			return w.tool.open(), nil
		}}}}
	w.project = &project.Project{Name: "shop", Timezone: "UTC", Subject: weir.SubjectDef{Jurisdiction: []string{"attribute.country"}},
		Segments: []weir.SegmentDef{{Name: "all", Of: weir.Person}},
		Destinations: []project.Destination{{Name: "esp", Connector: "tool", Privacy: weir.Privacy{Role: "processor", Kind: "esp", Transfer: "none",
			Country: "FR", Mechanism: "adequacy", DPA: true, Purposes: []string{"marketing.newsletter"}}}},
		Activations: []weir.ActivationDef{{Name: "news", Segment: "all", Destination: "esp", Purpose: "marketing.newsletter", Channel: "email",
			Mode: weir.Mirror, Key: "email", Fields: map[string]string{"email": "email", "first_name": "given_name"}}}}
	return w
}

var citizenTypes = map[string]weir.AttributeType{"email": weir.Text, "given_name": weir.Text, "country": weir.Text}

// say adds a consent entry about an address, later than all before.
func (w *world) say(email string, action weir.Action) {
	n := len(w.entries)
	at := noon.Add(-24*time.Hour + time.Duration(n)*time.Second)
	w.entries = append(w.entries, weir.Consent{ID: fmt.Sprintf("n%04d", n), Kind: "email", Value: email, Purpose: "marketing.newsletter", Channel: "email",
		Action: action, Basis: "consent", Explicit: true, Jurisdiction: "FR", OccurredAt: at, RecordedAt: at, Proof: "form"})
}

// permitted is the oracle of the gate: the last word about an address counts.
func (w *world) permitted(email string) bool {
	for _, e := range slices.Backward(w.entries) {
		if e.Value == email {
			return e.Action == weir.Granted
		}
	}
	return false
}

// settle writes the people as the stages before decide leave them.
func (w *world) settle() {
	w.t.Helper()
	var profiles []weir.Profile
	var members []weir.Membership
	for _, id := range slices.Sorted(maps.Keys(w.people)) {
		c := w.people[id]
		p := weir.Profile{ID: id, Kind: weir.Person, Attributes: map[string]string{"given_name": c.name, "country": "FR"}, Identifiers: weir.Identifiers{}, Records: 1}
		if c.name == "" {
			delete(p.Attributes, "given_name")
		}
		if c.email != "" {
			p.Attributes["email"] = c.email
			p.Identifiers.Add("email", c.email)
		}
		profiles = append(profiles, p)
		if c.member {
			members = append(members, weir.Membership{Segment: "all", ProfileID: id, EnteredAt: noon})
		}
	}
	put(w.village, schema.Profiles(citizenTypes), weir.Unify, "", profiles...)
	putNamed(w.village, "segment.memberships", weir.Segment, members...)
	w.tell()
}

// tell commits the consent entries said so far.
func (w *world) tell() {
	w.t.Helper()
	putNamed(w.village, "core.consents", weir.Conform, w.entries...)
}

func (w *world) next() weir.Run {
	w.t.Helper()
	w.runs++
	w.at = w.at.Add(time.Minute)
	key, err := w.Apply(w.t.Context(), w.project)
	if err != nil {
		w.t.Fatal(err)
	}
	return weir.Run{Workspace: "shop", ID: weir.NewRunID(w.at, fmt.Sprintf("w%03d", w.runs)), Now: w.at, Project: key}
}

// crashing runs a step that ends at the store's k-th request (0: never).
func (w *world) crashing(k int64, step func(context.Context) error) error {
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	w.cancel.Store(&cancel)
	w.cut.Store(k)
	defer w.cut.Store(0)
	w.tool.cancel = cancel
	return step(ctx)
}

// pass takes a stage through plan, run and commit.
func (w *world) pass(stage weir.Stage, part string, run weir.Run) (weir.StageRun, error) {
	w.t.Helper()
	var row weir.StageRun
	err := w.crashing(0, func(ctx context.Context) error {
		s := w.All()[stage]
		plan, err := s.Plan(ctx, run, part)
		if err != nil {
			return err
		}
		if plan.Unchanged {
			row, err = s.Keep(ctx, run, part)
			return err
		}
		manifest, err := s.Run(ctx, plan.Spec, func(weir.Progress) {})
		if err != nil {
			return err
		}
		row, err = s.Commit(ctx, manifest)
		return err
	})
	return row, err
}

func (w *world) must(stage weir.Stage, part string) weir.StageRun {
	w.t.Helper()
	row, err := w.pass(stage, part, w.next())
	if err != nil {
		w.t.Fatal(stage, part, err)
	}
	return row
}

// deliver decides and activates.
func (w *world) deliver() (decided, activated weir.StageRun) {
	w.t.Helper()
	return w.must(weir.Decide, ""), w.must(weir.Activate, "esp")
}

// ledger reads a fixed table as it is pinned.
func ledger[T any](w *world, table, rest string) []T {
	w.t.Helper()
	q, err := w.ask(w.t.Context(), table)
	if err != nil {
		w.t.Fatal(err)
	}
	defer q.close()
	rows, err := list[T](w.t.Context(), q, table, rest)
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// audience is the oracle of what the tool should hold: key to content.
func (w *world) audience() map[string]string {
	out := map[string]string{}
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(w.people))) { // of two with one key, the smaller
		if c := w.people[id]; c.member && c.email != "" && w.permitted(c.email) {
			out[c.email] = id + " " + c.email + " " + c.name
		}
	}
	return out
}

// tool is a receiver that honours idempotency keys.
type tool struct {
	mu       sync.Mutex
	caps     connectors.Capabilities
	holds    map[string]string // key to content
	seen     map[string]bool   // idempotency keys applied
	sequence map[string]int64
	log      []permit.Row // as applied
	wrong    []string     // what no receiver should see
	calls    int
	paused   []time.Duration
	cancel   context.CancelFunc
	// before and after are asked around each batch; an error is Deliver's.
	before, after func(call int, b permit.Batch) error
	// answer gives a row's outcome instead of applying it; nil applies it.
	answer func(r permit.Row) *connectors.Outcome
	finish func(activation string, run weir.Run) error
}

func (d *tool) open() connectors.Destination {
	if d.finish != nil {
		return publisher{d}
	}
	return d
}

// publisher is a tool that publishes at the end.
type publisher struct{ *tool }

func (p publisher) Finish(_ context.Context, activation string, run weir.Run) error {
	return p.finish(activation, run)
}

func (d *tool) Check(context.Context) error           { return nil }
func (d *tool) Close() error                          { return nil }
func (d *tool) Capabilities() connectors.Capabilities { return d.caps }

func (d *tool) Deliver(ctx context.Context, b permit.Batch) ([]connectors.Outcome, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if d.before != nil {
		if err := d.before(d.calls, b); err != nil {
			return nil, err
		}
	}
	out := make([]connectors.Outcome, b.Len())
	for i, r := range b.Rows() {
		if d.answer != nil {
			if o := d.answer(r); o != nil {
				out[i] = *o
				continue
			}
		}
		d.apply(r)
		out[i] = connectors.Outcome{Status: connectors.Delivered, Reply: "ok"}
	}
	if d.after != nil {
		if err := d.after(d.calls, b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *tool) apply(r permit.Row) {
	if d.seen[r.IdempotencyKey] {
		return
	}
	d.seen[r.IdempotencyKey] = true
	if r.Sequence <= d.sequence[r.ProfileID] {
		d.wrong = append(d.wrong, fmt.Sprintf("%s of %s has sequence %d after %d", r.Op, r.Key, r.Sequence, d.sequence[r.ProfileID]))
	}
	d.sequence[r.ProfileID] = max(d.sequence[r.ProfileID], r.Sequence)
	d.log = append(d.log, r)
	if r.Op == weir.Remove {
		delete(d.holds, r.Key)
		return
	}
	content := r.ProfileID
	for _, f := range r.Fields {
		content += fmt.Sprint(" ", f.Value)
	}
	if d.holds[r.Key] == content {
		d.wrong = append(d.wrong, fmt.Sprintf("%s of %s was there already: sent twice", r.Op, r.Key))
	}
	d.holds[r.Key] = content
}
