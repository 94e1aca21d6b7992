package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

// destination writes <path>/<activation>/<run id>.<format>; rows that the policy wants
// apart by consent class go to <path>/<activation>/class=<class id>/<run id>.<format>,
// what is to be removed always to the former. Until Finish, each
// batch is a part below <path>/.parts; a part is named by its rows' idempotency
// keys, so that a batch that comes again replaces itself.
type destination struct {
	folder folder
	format string
	escape bool

	mu    sync.Mutex
	swept map[string]bool // activations whose earlier runs left nothing any more
}

var (
	_ connectors.Destination = (*destination)(nil)
	_ connectors.Finisher    = (*destination)(nil)
)

func openDestination(env connectors.Env, config connectors.Settings) (connectors.Destination, error) {
	f, err := openFolder(env, config, true)
	if err != nil {
		return nil, err
	}
	return &destination{folder: f, format: config.String("format"), escape: config.Bool("escape_formulas")}, nil
}

// Check implements connectors.Destination: a file can be written and removed.
func (d *destination) Check(ctx context.Context) error {
	const probe = ".weir-check"
	if err := d.folder.put(ctx, probe, func(w io.Writer) error { _, err := w.Write([]byte("ok\n")); return err }); err != nil {
		return err
	}
	return d.folder.remove(ctx, probe)
}

// Close implements connectors.Destination.
func (d *destination) Close() error { return d.folder.close() }

// Capabilities implements connectors.Destination. Rows carry their operation, so
// that a file can also say what is to be removed.
func (d *destination) Capabilities() connectors.Capabilities {
	return connectors.Capabilities{Modes: []weir.Mode{weir.Mirror, weir.Upsert, weir.AppendOnly}, BatchRows: 10_000, Parallel: 2,
		Obligations: []string{permit.PartitionByClass, permit.IncludeOptOutLink}}
}

// partsDir is where a run's parts wait.
func partsDir(activation string, run weir.RunID) string {
	return path.Join(".parts", safeName(activation), safeName(string(run)))
}

// safeName makes one file name of any text, and the text again by unescaping.
func safeName(s string) string {
	s = url.PathEscape(s)
	if strings.HasPrefix(s, ".") {
		s = "%2E" + s[1:]
	}
	return s
}

// Deliver implements connectors.Destination.
func (d *destination) Deliver(ctx context.Context, batch permit.Batch) ([]connectors.Outcome, error) {
	if batch.Len() == 0 {
		return nil, ctx.Err()
	}
	out := make([]connectors.Outcome, batch.Len())
	var rows []partRow
	for i, r := range batch.Rows() {
		p, err := newPartRow(r)
		if err != nil {
			out[i] = connectors.Outcome{Status: connectors.Rejected, Reply: err.Error()}
			continue
		}
		out[i].Status = connectors.Delivered
		rows = append(rows, p)
	}
	if len(rows) == 0 {
		return out, ctx.Err()
	}
	if err := d.sweep(ctx, batch.Activation(), batch.Run().ID); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, partRow.compare)
	dir, name := partsDir(batch.Activation(), batch.Run().ID), partName(batch, rows)
	done, err := d.published(ctx, dir)
	if err != nil {
		return nil, err
	}
	if slices.Contains(done.Parts, name) {
		return out, nil // invariant 2: it is in a file already
	}
	err = d.folder.put(ctx, path.Join(dir, name), func(w io.Writer) error { return writePart(w, rows) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// partName is of the rows' ids, and of their class where they are to be kept apart.
func partName(b permit.Batch, rows []partRow) string {
	h := sha256.New()
	for _, r := range rows {
		fmt.Fprintf(h, "%q\n", r.ID)
	}
	name := hex.EncodeToString(h.Sum(nil)[:12])
	if _, apart := b.Obligations()[permit.PartitionByClass]; apart {
		name += "." + safeName(b.ClassID())
	}
	return name + ".part"
}

// partClass is the class in a part's name; "": it is not kept apart.
func partClass(name string) string {
	_, class, _ := strings.Cut(strings.TrimSuffix(name, ".part"), ".")
	return class
}

// publication records which parts of a run are in which files. It stays, so that
// a repeated batch or Finish changes nothing.
type publication struct {
	Files []string `json:"files"`
	Parts []string `json:"parts"` // sorted
}

const publicationName = "published.json"

func (d *destination) published(ctx context.Context, dir string) (publication, error) {
	var p publication
	f, err := d.folder.open(ctx, path.Join(dir, publicationName), "")
	if weir.CodeOf(err) == weir.NotFound {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	defer func() { _ = f.Close() }()
	if err := json.NewDecoder(f).Decode(&p); err != nil {
		return p, weir.Errorf(weir.Internal, "%w", err).At(where(d.folder, path.Join(dir, publicationName))).
			Then("remove the file if this run's output is complete")
	}
	return p, nil
}

// Finish implements connectors.Finisher: the run's parts become one file (one of each
// class that is kept apart), sorted by key, each row once. Parts that come after a first Finish make a further
// file, `<run id>-2`.
func (d *destination) Finish(ctx context.Context, activation string, run weir.Run) error {
	dir := partsDir(activation, run.ID)
	listed, err := d.folder.list(ctx, dir)
	if err != nil && weir.CodeOf(err) != weir.NotFound {
		return err
	}
	done, err := d.published(ctx, dir)
	if err != nil {
		return err
	}
	var fresh []string
	for _, f := range listed {
		if name := path.Base(f.path); strings.HasSuffix(name, ".part") && !slices.Contains(done.Parts, name) {
			fresh = append(fresh, name)
		}
	}
	byClass := map[string][]string{}
	for _, name := range fresh {
		byClass[partClass(name)] = append(byClass[partClass(name)], name)
	}
	for _, class := range slices.Sorted(maps.Keys(byClass)) {
		if done, err = d.publish(ctx, dir, activation, run.ID, byClass[class], done); err != nil {
			return err
		}
	}
	return d.clean(ctx, dir)
}

// clean removes a run's parts, and what merging or a crash left with them.
func (d *destination) clean(ctx context.Context, dir string) error {
	listed, err := d.folder.list(ctx, dir)
	if err != nil && weir.CodeOf(err) != weir.NotFound {
		return err
	}
	for _, f := range listed {
		if path.Base(f.path) != publicationName {
			if err := d.folder.remove(ctx, f.path); err != nil {
				return err
			}
		}
	}
	return nil
}

// publish merges parts of one class and records it.
func (d *destination) publish(ctx context.Context, dir, activation string, run weir.RunID, fresh []string, done publication) (publication, error) {
	to := safeName(activation)
	if class := partClass(fresh[0]); class != "" {
		to = path.Join(to, "class="+class)
	}
	name, n := path.Join(to, safeName(string(run))), 1
	for _, f := range done.Files {
		if path.Dir(f) == to {
			n++
		}
	}
	if n > 1 {
		name = fmt.Sprintf("%s-%d", name, n)
	}
	name += "." + d.format
	if err := d.merge(ctx, dir, fresh, name); err != nil {
		return done, err
	}
	done.Files = append(done.Files, name)
	done.Parts = append(done.Parts, fresh...)
	slices.Sort(done.Parts)
	b, err := json.Marshal(done)
	if err != nil {
		return done, weir.Errorf(weir.Internal, "%w", err)
	}
	return done, d.folder.put(ctx, path.Join(dir, publicationName), func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(b))
		return err
	})
}
