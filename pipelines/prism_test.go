package pipelines

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
)

// prismEnv makes a test's child run its graph on Prism.
const prismEnv = "WEIR_TEST_PRISM"

// prismRunner shows that graphs are portable: it translates them to the model
// that clusters understand, which the direct runner does not.
type prismRunner struct{}

func (prismRunner) Run(ctx context.Context, graph *beam.Pipeline) error {
	_, err := beam.Run(ctx, "prism", graph)
	return err
}
