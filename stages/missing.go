package stages

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// writeMissing leaves for Keep what the plan of an unchanged stream found missing.
func (c *collect) writeMissing(ctx context.Context, run weir.Run, part string, p connectors.Plan) error {
	if p.Missing == 0 {
		return nil
	}
	return c.writeJSON(ctx, missingKey(run, part), p.Missing)
}

func (c *collect) readMissing(ctx context.Context, run weir.Run, part string) (n int64, err error) {
	err = c.readJSON(ctx, missingKey(run, part), &n)
	if weir.CodeOf(err) == weir.NotFound {
		return 0, nil
	}
	return n, err
}

func missingKey(run weir.Run, part string) string {
	return runPrefix(run, weir.Collect, part) + "missing.json"
}
