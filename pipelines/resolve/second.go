package resolve

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// solve partitions the records, with a second look by the model at components of
// three records and more: pairs that never met in a block are compared there, and
// may speak against links.
func solve(ctx context.Context, t *pipelines.Task, g *graph) (*cluster.Result, error) {
	parts, err := cluster.Connect(&g.Graph)
	if err != nil {
		return nil, err
	}
	ms, err := models(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(ms) == 0 {
		return parts.Solve(nil), nil
	}
	look := looking{graph: g, features: make([]string, g.N)}
	for k := range look.models {
		look.models[k] = ms[recordKind(k).kind()]
	}
	g.indexDigests()
	if err := eachCompared(ctx, t, func(e string) {
		if m := g.byDigest(readDigest(e[1:])); m >= 0 && parts.Open(m) {
			look.features[m] = strings.Clone(e[1+digestSize:]) // of a row that holds many
		}
	}); err != nil {
		return nil, err
	}
	pipelines.Forget[compared](t, "compared") // nobody after this step asks for all
	solved := parts.Solve(look.second)
	if err := look.err(); err != nil {
		return nil, err
	}
	t.Count("pairs_looked_at_again", int64(solved.Asked))
	t.Count("components_doubted", int64(solved.Doubted))
	return solved, nil
}

// looking has what is compared of the records of open components, as it was sent.
type looking struct {
	graph    *graph
	models   [2]*model.Model // by recordKind
	features []string        // by record; empty: it is not asked for, or holds too little to be compared
	failed   atomic.Pointer[error]
}

func (l *looking) err() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *looking) second(component []int32) func(i, j int) float32 {
	m := l.models[l.graph.kinds[component[0]]]
	if m == nil || l.err() != nil {
		return nil
	}
	var decoder model.Decoder
	decoder.Reserve(len(component) * len(m.Columns))
	fs := make([]*model.Features, len(component))
	for i, record := range component {
		b := l.features[record]
		if b == "" {
			continue
		}
		f, err := decoder.Decode(b)
		if err != nil {
			l.failed.Store(&err)
			return nil
		}
		fs[i] = &f
	}
	return func(i, j int) float32 {
		if fs[i] == nil || fs[j] == nil {
			return 0
		}
		return float32(m.Doubt(fs[i], fs[j]))
	}
}
