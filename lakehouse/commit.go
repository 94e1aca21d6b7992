package lakehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
)

// maxProperty bounds a property's value in bytes: table metadata is read and
// rewritten whole by each commit.
const maxProperty = 4 << 10

// maxMarkers is how many commits without a snapshot a table remembers.
const maxMarkers = 32

// Commit is one atomic change of one table.
type Commit struct {
	ID    string // takes effect once; weir.Run.CommitID makes it
	Table string
	// Scopes names the files. With Replace they become the scope's whole content:
	// of scope "name@version", files of every other version of name go too.
	// Files that a scope holds already stay. A replaced "name@version" without
	// files is remembered.
	Scopes []weir.TableFiles
	// Properties are set in the same commit: a connector's cursor. Keys start
	// with "weir."; a value has at most 4 KiB and holds nothing personal; an empty
	// value removes the key.
	Properties map[string]string
	// Since, if not nil, is the snapshot that readers use (0: none yet) of a table
	// with one writer: what commits of runs that never finished did since is taken
	// back in this commit. Maintenance, and what other engines did, stays.
	Since *int64
	// Others are scopes of the table, by name, that somebody else writes: Since takes
	// nothing of them back.
	Others []string
}

// Commit makes the change, or finds that it is there: then it returns the
// snapshot that it made. A change that changes nothing makes no snapshot and
// returns the current one. It tries again on conflicts with newly computed
// differences (invariant 2). After weir.Conflict or weir.Unavailable the change
// may have been made or not; the same commit may be tried again.
func (l *Lake) Commit(ctx context.Context, c Commit) (Snapshot, error) {
	if err := l.checkCommit(c); err != nil {
		return Snapshot{}, err
	}
	unlock, err := l.lock(ctx, c.Table)
	if err != nil {
		return Snapshot{}, err
	}
	defer unlock()
	var out Snapshot
	try := &commitTry{lake: l, commit: c, built: map[string]iceberg.DataFile{}}
	err = l.retry(ctx, "commit to", c.Table, func() (retriable bool, err error) {
		out, retriable, err = try.run(ctx)
		return retriable, err
	})
	return out, err
}

func (l *Lake) checkCommit(c Commit) error {
	bad := func(format string, args ...any) error {
		return weir.Errorf(weir.Invalid, format, args...).At(c.Table)
	}
	if c.ID == "" {
		return bad("a commit needs an id")
	}
	for _, k := range slices.Sorted(maps.Keys(c.Properties)) {
		if !strings.HasPrefix(k, propertyPrefix) || reserved(k) {
			return bad("table property %q can't be set by a commit", k)
		}
		if n := len(c.Properties[k]); n > maxProperty {
			return bad("table property %s has %d bytes, more than %d", k, n, maxProperty)
		}
	}
	replaced := map[string]bool{}
	for _, s := range c.Scopes {
		if s.Table != "" && s.Table != c.Table {
			return bad("a commit of one table holds files of %s", s.Table)
		}
		name, _ := splitScope(s.Scope)
		if s.Replace && replaced[name] {
			return bad("scope %q is replaced twice in one commit", name)
		}
		replaced[name] = replaced[name] || s.Replace
		for _, f := range s.Files {
			if got, ok := scopeOf(c.Table, f.Path); !ok || got != s.Scope {
				return bad("file %s does not lie in scope %q", f.Path, s.Scope)
			}
		}
	}
	return nil
}

// commitTry is what the tries of one commit share: entries built from footers.
type commitTry struct {
	lake   *Lake
	commit Commit
	built  map[string]iceberg.DataFile // by schema id and key
}

func (c *commitTry) run(ctx context.Context) (_ Snapshot, retriable bool, err error) {
	t, err := c.lake.load(ctx, c.commit.Table)
	if err != nil {
		return Snapshot{}, false, err
	}
	if s, done := landed(t, c.commit.ID); done {
		return s, false, nil
	}
	remove, add, err := c.difference(ctx, t)
	if err != nil {
		return Snapshot{}, false, err
	}
	txn, err := t.NewTransactionOnBranchWithError(table.MainBranch)
	if err != nil {
		return Snapshot{}, false, failed("commit to", c.commit.Table, err)
	}
	changed, err := c.stageProperties(txn, t, len(remove)+len(add) == 0)
	if err != nil {
		return Snapshot{}, false, err
	}
	if len(remove)+len(add) > 0 {
		changed = true
		summary := iceberg.Properties{commitIDKey: c.commit.ID}
		err := txn.ReplaceDataFilesWithDataFiles(ctx, remove, add, summary, table.WithoutAutoNameMapping(), table.WithoutDuplicateCheck())
		if err != nil {
			return Snapshot{}, false, failed("commit to", c.commit.Table, err)
		}
	}
	if !changed {
		return snapshotOf(t.CurrentSnapshot(), t.Properties()), false, nil
	}
	t, err = txn.Commit(ctx)
	if err != nil {
		// Conflict or unknown outcome: the next try looks for the id first. Should
		// this one land later still, the next has a stale base and loses.
		return Snapshot{}, true, err
	}
	return snapshotOf(t.CurrentSnapshot(), t.Properties()), false, nil
}

// landed looks for a commit's id among the kept snapshots that led to the current
// one, and among the markers. What another engine rolled back has not landed.
func landed(t *table.Table, id string) (Snapshot, bool) {
	if _, ok := t.Properties()[marker(id)]; ok {
		return snapshotOf(t.CurrentSnapshot(), t.Properties()), true
	}
	all := sortedSnapshots(t)
	slices.Reverse(all)
	head := t.CurrentSnapshot()
	for _, s := range all {
		if head == nil || s.SequenceNumber > head.SequenceNumber {
			continue
		}
		if s.SnapshotID != head.SnapshotID {
			if t.SnapshotByID(head.SnapshotID) != nil {
				continue // beside the line of parents
			}
			// The parent has expired: older ones count as the line.
		}
		if s.Summary != nil && s.Summary.Properties[commitIDKey] == id {
			return snapshotOf(&s, t.Properties()), true
		}
		if s.ParentSnapshotID == nil {
			break
		}
		head = &table.Snapshot{SnapshotID: *s.ParentSnapshotID, SequenceNumber: s.SequenceNumber - 1}
	}
	return Snapshot{}, false
}

func marker(id string) string {
	sum := sha256.Sum256([]byte(id))
	return markerPrefix + hex.EncodeToString(sum[:8])
}

// difference computes which files go and which come, against t's newest snapshot.
func (c *commitTry) difference(ctx context.Context, t *table.Table) (remove, add []iceberg.DataFile, err error) {
	name := c.commit.Table
	held, err := c.lake.held(ctx, name, t, t.CurrentSnapshot())
	if err != nil {
		return nil, nil, err
	}
	want := map[string]bool{}
	replace := map[string]bool{}
	var keys []string
	for _, s := range c.commit.Scopes {
		files := s.Files
		if _, version := splitScope(s.Scope); s.Replace && len(files) == 0 && version != "" {
			empty, err := c.lake.emptyFile(ctx, name, s.Scope, held, t.Schema())
			if err != nil {
				return nil, nil, err
			}
			files = []weir.DataFile{empty}
		}
		if s.Replace {
			scope, _ := splitScope(s.Scope)
			replace[scope] = true
		}
		for _, f := range files {
			if _, there := held[f.Path]; !there && !want[f.Path] {
				keys = append(keys, f.Path)
			}
			want[f.Path] = true
		}
	}
	replaced := func(key string) bool {
		scope, ok := scopeOf(name, key)
		scope, _ = splitScope(scope)
		return ok && replace[scope]
	}
	before, strays, err := c.before(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	for key := range before {
		if _, there := held[key]; !there && !want[key] && !replaced(key) && !c.others(key) {
			keys, want[key] = append(keys, key), true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(held)) {
		if stray := strays && before[key] == nil && !c.others(key); (stray || replaced(key)) && !want[key] {
			remove = append(remove, held[key])
		}
	}
	slices.Sort(keys)
	add, err = c.entries(ctx, t, keys)
	return remove, add, err
}

// others tells whether a file lies in a scope that somebody else writes.
func (c *commitTry) others(key string) bool {
	scope, ok := scopeOf(c.commit.Table, key)
	scope, _ = splitScope(scope)
	return ok && slices.Contains(c.commit.Others, scope)
}

// entries makes manifest entries with column statistics from the files' footers.
// A file that is not there fails the commit. Footers are read once for all tries.
func (c *commitTry) entries(ctx context.Context, t *table.Table, keys []string) ([]iceberg.DataFile, error) {
	fs, err := t.FS(ctx)
	if err != nil {
		return nil, failed("read table", c.commit.Table, err)
	}
	out := make([]iceberg.DataFile, len(keys))
	for i, key := range keys {
		id := strconv.Itoa(t.Schema().ID) + " " + key
		if _, ok := c.built[id]; !ok {
			if err := c.lake.renew(ctx, key); err != nil {
				return nil, err
			}
			f, err := c.lake.entry(ctx, fs, t, key)
			if err != nil {
				if code := weir.CodeOf(err); code != weir.Internal {
					return nil, failed("read file of", c.commit.Table, err)
				}
				return nil, weir.Errorf(weir.Invalid, "the file does not fit table %s: %w", c.commit.Table, err).
					At(key).Then("write it with the columns that Ensure returned")
			}
			c.built[id] = f
		}
		out[i] = c.built[id]
	}
	return out, nil
}

// renew writes an old object again before a commit refers to it. A file of the
// same content may be left from an expired snapshot, and Orphans of another
// process about to delete it: it looks at the age once more before it does.
func (l *Lake) renew(ctx context.Context, key string) error {
	info, err := l.store.Stat(ctx, key)
	if err != nil || time.Since(info.ModTime) < MinGrace/2 {
		return err
	}
	r, err := l.store.Get(ctx, key)
	if err != nil {
		return err
	}
	defer r.Close()
	return l.store.Put(ctx, key, r, info.Size)
}

// stageProperties sets what differs. Where the commit makes no snapshot, a marker
// takes the place of the id in its summary; the oldest markers give way.
func (c *commitTry) stageProperties(txn *table.Transaction, t *table.Table, mark bool) (changed bool, err error) {
	set, remove := iceberg.Properties{}, []string{}
	for k, v := range c.commit.Properties {
		old, there := t.Properties()[k]
		switch {
		case v == "" && there:
			remove = append(remove, k)
		case v != "" && old != v:
			set[k] = v
		}
	}
	if len(set)+len(remove) == 0 {
		return false, nil
	}
	if mark {
		last, stale := markers(t.Properties())
		set[marker(c.commit.ID)] = strconv.FormatInt(last+1, 10)
		remove = append(remove, stale...)
	}
	slices.Sort(remove)
	if err = txn.SetProperties(set); err == nil {
		err = txn.RemoveProperties(remove)
	}
	if err != nil {
		return false, failed("set properties of", c.commit.Table, err)
	}
	return true, nil
}

// markers returns the highest number among the markers and the keys that make
// room for one more.
func markers(props iceberg.Properties) (last int64, stale []string) {
	type mark struct {
		key string
		n   int64
	}
	var all []mark
	for k, v := range props {
		if strings.HasPrefix(k, markerPrefix) {
			n, _ := strconv.ParseInt(v, 10, 64) // not a number: oldest
			all = append(all, mark{k, n})
			last = max(last, n)
		}
	}
	slices.SortFunc(all, func(a, b mark) int {
		if a.n != b.n {
			return int(a.n - b.n)
		}
		return strings.Compare(a.key, b.key)
	})
	for len(all) >= maxMarkers {
		stale, all = append(stale, all[0].key), all[1:]
	}
	return last, stale
}
