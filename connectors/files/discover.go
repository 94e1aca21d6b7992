package files

import (
	"context"
	"errors"
	"regexp"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir/connectors"
)

var numberRun = regexp.MustCompile(`[0-9]+(?:[-_.T][0-9]+)*`)

// Discover implements connectors.Source: files whose names differ in numbers
// only are one pattern, with the columns of the newest by name. A file that
// can't be read has no schema.
func (s *source) Discover(ctx context.Context) ([]connectors.Discovered, error) {
	all, err := s.folder.list(ctx, "")
	if err != nil {
		return nil, err
	}
	last := map[string]fileInfo{}
	for _, f := range all {
		if hidden(f.path) {
			continue
		}
		if _, err := (options{row: rowPath{"", ""}}).of(f.path); err != nil {
			continue // of no known format
		}
		last[numberRun.ReplaceAllString(f.path, "*")] = f
	}
	out := make([]connectors.Discovered, 0, len(last))
	for _, pattern := range sortedNames(last) {
		schema, err := s.sample(ctx, last[pattern])
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			schema = nil
		}
		out = append(out, connectors.Discovered{Name: pattern, Schema: schema, Rows: -1})
	}
	return out, nil
}

var errEnough = errors.New("enough")

// firstBatch is a sink that keeps the first batch's schema and ends the read.
type firstBatch struct{ schema *arrow.Schema }

func (f *firstBatch) Write(_ context.Context, b connectors.Batch) error {
	f.schema = b.Rows.Schema()
	return errEnough
}

func (f *firstBatch) Reject(context.Context, connectors.Rejection) error { return nil }

// sample reads a file's first batch. XML has no columns before its row element
// is known.
func (s *source) sample(ctx context.Context, f fileInfo) (*arrow.Schema, error) {
	settings, errs := connectors.ParseSettings(streamFields(), map[string]any{"path": "*"})
	if len(errs) > 0 {
		return nil, errs[0]
	}
	o, err := s.options(connectors.Stream{Name: "sample", Settings: settings})
	if err != nil {
		return nil, err
	}
	first := &firstBatch{}
	if err := s.read(ctx, o, f.path, f.version, first); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return first.schema, nil
}
