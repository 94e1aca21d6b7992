package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

type source struct {
	env    connectors.Env
	folder folder
}

var _ connectors.Source = (*source)(nil)

func openSource(env connectors.Env, config connectors.Settings) (connectors.Source, error) {
	f, err := openFolder(env, config, false)
	if err != nil {
		return nil, err
	}
	return &source{env: env, folder: f}, nil
}

// Check implements connectors.Source: the folder can be listed.
func (s *source) Check(ctx context.Context) error { return s.folder.check(ctx) }

// Close implements connectors.Source.
func (s *source) Close() error { return s.folder.close() }

func (s *source) options(st connectors.Stream) (options, error) {
	zone := s.env.Timezone
	if zone == "" {
		zone = "UTC"
	}
	return parseOptions(st, zone)
}

// Plan implements connectors.Source: one split for each file that is new, that
// changed, or that is now read by other settings. A vanished file keeps its
// rows, except in full mode; that no file is left is an error, since it is rather
// a broken export or path than the end of all that it told.
func (s *source) Plan(ctx context.Context, st connectors.Stream, prior connectors.Prior) (connectors.Plan, error) {
	o, err := s.options(st)
	if err != nil {
		return connectors.Plan{}, err
	}
	all, matching, err := s.match(ctx, o.pattern)
	if err != nil {
		return connectors.Plan{}, err
	}
	if len(matching) == 0 && !o.mayBeEmpty {
		return connectors.Plan{}, s.noMatch(o.pattern, all)
	}
	var plan connectors.Plan
	for _, f := range matching {
		version := f.version + "-" + o.fingerprint
		if prior.Scopes[f.path] == version {
			continue
		}
		plan.Splits = append(plan.Splits, connectors.Split{ID: splitID(f.path, version), Scope: f.path,
			Version: version, Detail: f.version, Bytes: f.size})
	}
	for _, scope := range sortedNames(prior.Scopes) {
		switch {
		case slices.ContainsFunc(matching, func(f fileInfo) bool { return f.path == scope }):
		case o.full:
			plan.Drop = append(plan.Drop, scope)
		default:
			plan.Missing++
		}
	}
	return plan, nil
}

func splitID(path, version string) string {
	sum := sha256.Sum256([]byte(path + "\x00" + version))
	return hex.EncodeToString(sum[:12])
}

// match lists the files below the pattern's fixed part, and those that match.
func (s *source) match(ctx context.Context, pattern string) (all, matching []fileInfo, err error) {
	base, _ := doublestar.SplitPattern(pattern)
	if base == "." {
		base = ""
	}
	if all, err = s.folder.list(ctx, base); err != nil {
		return nil, nil, err
	}
	for _, f := range all {
		if hidden(f.path) && !hidden(pattern) {
			continue // temporary files of those who write them
		}
		if ok, err := doublestar.Match(pattern, f.path); err == nil && ok {
			matching = append(matching, f)
		}
	}
	return all, matching, nil
}

func hidden(p string) bool { return strings.HasPrefix(p, ".") || strings.Contains(p, "/.") }

func (s *source) noMatch(pattern string, all []fileInfo) error {
	e := weir.Errorf(weir.NotFound, "no file matches %q", pattern).At(s.folder.String())
	if len(all) == 0 {
		return e.Then("put files there, or correct `path`; if there may be none, set the stream's `may_be_empty: true`")
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.path
	}
	example := names[0]
	if n := connectors.Nearest(pattern, names); n != "" {
		example = n
	}
	there := fmt.Sprintf("there are %d files, such as %s", len(all), example)
	if len(all) == 1 {
		there = "there is one file, " + example
	}
	return e.Then(there + ": correct the stream's `path`, or put the file back")
}

// Read implements connectors.Source. Parsing runs a little ahead of the sink.
func (s *source) Read(ctx context.Context, st connectors.Stream, _ connectors.Plan, split connectors.Split, sink connectors.Sink) error {
	o, err := s.options(st)
	if err != nil {
		return err
	}
	return s.read(ctx, o, split.Scope, split.Detail, sink)
}

func (s *source) read(ctx context.Context, o options, name, version string, sink connectors.Sink) error {
	if version == "unreadable" { // as listed: opening it says why
		version = ""
	}
	o, err := o.of(name)
	if err != nil {
		return s.at(name, err)
	}
	inner, cancel := context.WithCancel(ctx)
	out := &out{ctx: inner, items: make(chan item, 2), origin: name}
	done := make(chan error, 1)
	go func() {
		defer close(out.items)
		done <- s.parse(inner, o, name, version, out)
	}()
	var failed error
	for it := range out.items {
		if failed == nil {
			if failed = give(ctx, it, sink); failed != nil {
				cancel()
			}
		}
		if it.batch.Rows != nil {
			it.batch.Rows.Release()
		}
	}
	cancel()
	err = <-done
	if failed != nil {
		return failed
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.at(name, err)
}

func give(ctx context.Context, it item, sink connectors.Sink) error {
	if it.batch.Rows != nil {
		return sink.Write(ctx, it.batch)
	}
	return sink.Reject(ctx, it.rejection)
}

// at names the file in an error that does not.
func (s *source) at(name string, err error) error {
	var e *weir.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && e.Where != "":
		return err
	case errors.As(err, &e):
		return e.At(where(s.folder, name))
	}
	return weir.Errorf(weir.Unavailable, "%w", err).At(where(s.folder, name)).Then("check the file and the disk, then sync again")
}

// parse reads one file to its end.
func (s *source) parse(ctx context.Context, o options, name, version string, out *out) error {
	f, err := s.folder.open(ctx, name, version)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if o.format == "parquet" {
		return readParquet(ctx, f, out)
	}
	plain, err := decompress(ctx, f, o.compression, o.maxBytes, where(s.folder, name))
	if err != nil {
		return err
	}
	defer func() { _ = plain.Close() }()
	return readText(plain, o, out)
}
