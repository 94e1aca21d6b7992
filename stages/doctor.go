package stages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// Finding is what doctor says of one part.
type Finding struct {
	Part   string `json:"part"`   // "source crm", "stream crm/contacts", "policies"
	Status string `json:"status"` // ok, warn, fail
	What   string `json:"what"`
	Where  string `json:"where,omitempty"` // file:line
	Next   string `json:"next,omitempty"`  // with warn and fail
}

// The statuses of a finding. A warning does not keep a run from succeeding.
const (
	Fine = "ok"
	Warn = "warn"
	Bad  = "fail"
)

// Checkup examines a project part by part, before it runs. Each part is looked
// at, whatever is wrong with the others.
type Checkup struct {
	House   *House // Connectors, Dir and Secrets; the lake is not needed
	Project *project.Project
	// Timeout bounds one part; 0: 20 s. A system that hangs is a finding.
	Timeout time.Duration
}

// All examines everything that needs neither lake nor Temporal.
func (c Checkup) All(ctx context.Context) []Finding {
	var out []Finding
	out = append(out, c.Secrets()...)
	for _, s := range c.Project.Sources {
		out = append(out, c.Source(ctx, s)...)
	}
	for _, d := range c.Project.Destinations {
		out = append(out, c.Destination(ctx, d)...)
	}
	out = append(out, c.Definitions()...)
	return append(out, c.Policies(ctx)...)
}

// good and wrong make findings.
func good(part, format string, args ...any) Finding {
	return Finding{Part: part, Status: Fine, What: fmt.Sprintf(format, args...)}
}

func wrong(part string, err error, where, next string) Finding {
	f := Finding{Part: part, Status: Bad, What: err.Error(), Where: where, Next: next}
	var e *weir.Error
	if errors.As(err, &e) {
		bare := *e
		bare.Where, bare.Next = "", ""
		f.What = bare.Error()
		if e.Where != "" {
			f.Where = e.Where
		}
		if e.Next != "" {
			f.Next = e.Next
		}
	}
	return f
}

// FindingOf turns an error of a part into a finding.
func FindingOf(part string, err error, next string) Finding { return wrong(part, err, "", next) }

// Problems makes findings of a project that can't be loaded.
func Problems(err error) []Finding {
	var all project.Problems
	if !errors.As(err, &all) {
		return []Finding{wrong("project", err, "", "create a project with: weir init DIR")}
	}
	out := make([]Finding, len(all))
	for i, p := range all {
		out[i] = Finding{"project", Bad, p.Message, p.Where, orElse(p.Next, "mend the file")}
	}
	return out
}

func (c Checkup) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := c.Timeout
	if limit == 0 {
		limit = 20 * time.Second
	}
	return context.WithTimeoutCause(ctx, limit, weir.Errorf(weir.Unavailable, "no answer after %s", limit))
}

// Secrets looks whether each reference of the project has a value.
func (c Checkup) Secrets() []Finding {
	type use struct{ text, where string }
	var uses []use
	p := c.Project
	var walk func(v any, thing, key, otherwise string)
	walk = func(v any, thing, key, otherwise string) {
		switch v := v.(type) {
		case string:
			if project.IsReference(v) {
				uses = append(uses, use{v, orElse(p.Place(thing, key), otherwise)})
			}
		case map[string]any:
			for _, k := range sortedKeys(v) {
				walk(v[k], thing, key+"."+k, otherwise)
			}
		case []any:
			for _, x := range v {
				walk(x, thing, key, otherwise)
			}
		}
	}
	for _, v := range []struct{ key, text string }{{"lake.endpoint", p.Lake.Endpoint}, {"lake.access_key", p.Lake.AccessKey}, {"lake.secret_key", p.Lake.SecretKey},
		{"lake.session_token", p.Lake.SessionToken}, {"lake.catalog.uri", p.Lake.Catalog.URI}, {"lake.catalog.token", p.Lake.Catalog.Token},
		{"lake.catalog.credential", p.Lake.Catalog.Credential}, {"lake.catalog.oauth2_uri", p.Lake.Catalog.OAuth2URI}, {"temporal.address", p.Temporal.Address}, {"temporal.api_key", p.Temporal.APIKey},
		{"notify.webhook", p.Notify.Webhook}, {"notify.email.password", p.Notify.Email.Password}} {
		walk(v.text, "weir.yaml", v.key, "weir.yaml")
	}
	for _, s := range p.Sources {
		walk(s.Config, "source "+s.Name, "config", s.At)
		for _, t := range s.Streams {
			walk(t.Settings, "source "+s.Name, "streams."+t.Name, t.At)
		}
	}
	for _, d := range p.Destinations {
		walk(d.Config, "destination "+d.Name, "config", d.At)
	}
	var out []Finding
	for _, u := range uses {
		value, err := c.House.Secrets.Text(u.text)
		switch {
		case err != nil:
			f := wrong("secrets", err, u.where, "")
			f.Where = u.where
			out = append(out, f)
		case strings.TrimSpace(value) == "":
			out = append(out, Finding{"secrets", Bad, u.text + " is empty", u.where, "give it a value"})
		}
	}
	if len(out) == 0 {
		out = append(out, good("secrets", "%s", allSet(len(uses))))
	}
	return out
}

func allSet(n int) string {
	switch n {
	case 0:
		return "none is referred to"
	case 1:
		return "1 reference, set"
	}
	return fmt.Sprintf("%d references, all set", n)
}

// unset tells whether a reference in these settings has no value.
func (c Checkup) unset(settings map[string]any) bool {
	_, err := c.House.Secrets.Settings(settings)
	return err != nil
}

// Destination looks whether a destination can be opened and reached, and can do
// what its activations ask.
func (c Checkup) Destination(ctx context.Context, d project.Destination) []Finding {
	part := "destination " + d.Name
	if c.unset(d.Config) {
		return nil // Secrets tells of it
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	dest, err := c.House.OpenDestination(ctx, c.Project, d)
	if err != nil {
		return []Finding{wrong(part, err, d.At, "check config in "+d.At)}
	}
	defer dest.Close()
	var out []Finding
	caps := dest.Capabilities()
	for _, a := range activationsOf(c.Project, d.Name) {
		if !slices.Contains(caps.Modes, a.Mode) {
			out = append(out, Finding{"activation " + a.Name, Bad, fmt.Sprintf("destination %s can't do mode %s", d.Name, a.Mode), "activations/" + a.Name + ".yaml", fmt.Sprintf("set mode to one of %v", caps.Modes)})
		}
	}
	if err := dest.Check(ctx); err != nil {
		return append(out, wrong(part, timely(ctx, err), d.At, "check config in "+d.At))
	}
	return append(out, good(part, "answers"))
}

// timely says that a deadline was missed in words.
func timely(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Policies checks the rules, loads them, and runs their tests and cases.
func (c Checkup) Policies(ctx context.Context) []Finding {
	dir := ""
	if c.Project.Policies {
		dir = filepath.Join(c.House.Dir, "policies")
	}
	problems, err := policies.Check(dir)
	if err != nil {
		return []Finding{wrong("policies", err, "policies/", "weir policy check")}
	}
	var out []Finding
	for _, p := range problems {
		out = append(out, Finding{"policies", Bad, p.Message, "policies/" + p.Where, orElse(p.Next, "weir policy check")})
	}
	gate, err := policies.Load(ctx, policies.Options{Dir: dir})
	if err != nil {
		if len(out) == 0 {
			out = append(out, wrong("policies", err, "policies/", "weir policy check"))
		}
		return out
	}
	for _, p := range Undeliverable(c.Project, gate.Purposes()) {
		out = append(out, Finding{p.Part, Bad, p.Message, p.Where, p.Next})
	}
	for _, p := range c.House.Unobliging(ctx, c.Project, gate) {
		out = append(out, Finding{p.Part, Warn, p.Message, p.Where, p.Next})
	}
	if len(out) == 0 {
		draft := ""
		if len(c.Project.Signers) > 0 {
			draft = ", a draft: weir policy revisions tells what rules"
		}
		out = append(out, good("policies", "%d rules, revision %.12s%s", len(gate.Rules()), gate.Revision(), draft))
	}
	return out
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// CheckStore looks whether the lake's store takes, gives back and condition-checks
// an object: commits of the catalog need a conditional put.
func CheckStore(ctx context.Context, s *object.Store, key string) Finding {
	const part = "lake"
	key = "doctor/" + key
	created, err := s.PutIfAbsent(ctx, key, []byte("weir doctor"))
	if err == nil && !created {
		err = errors.New("a new object was taken for one that is there")
	}
	if err == nil {
		if created, err = s.PutIfAbsent(ctx, key, []byte("again")); err == nil && created {
			err = errors.New("the store ignores If-None-Match: two commits at once could overwrite each other")
		}
	}
	if err == nil {
		var back []byte
		if back, err = s.ReadFile(ctx, key); err == nil && string(back) != "weir doctor" {
			err = errors.New("what was written is not what is read")
		}
	}
	if gone := s.Delete(ctx, key); err == nil {
		err = gone
	}
	if err != nil {
		return wrong(part, err, "weir.yaml", "check lake: in weir.yaml, the keys' rights and that the bucket exists")
	}
	return good(part, "takes and gives back objects, with conditional puts")
}

// CheckDisk looks whether a folder's disk has room: below least bytes is a
// failure, below five times that a warning.
func CheckDisk(dir string, least uint64) Finding {
	const part = "disk"
	for {
		var st syscall.Statfs_t
		err := syscall.Statfs(dir, &st)
		if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir) // .weir is made by the first run
			continue
		}
		if err != nil {
			return wrong(part, err, dir, "check that the folder can be used")
		}
		free := st.Bavail * uint64(st.Bsize)
		f := good(part, "%.1f GB free", float64(free)/1e9)
		switch {
		case free < least:
			f.Status = Bad
		case free < 5*least:
			f.Status = Warn
		default:
			return f
		}
		f.Where, f.Next = dir, "make room, or put the project on another disk"
		return f
	}
}
