package stages

import (
	"context"
	"fmt"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// inForce says which of the decisions about one activation and profile comes
// first, for a query over consent.decisions left join decide_runs using (run_id):
// that of the run which ended last, whatever now it was given (--now may be the
// same twice, or go back). A run that ops.runs no longer has was before all others.
const inForce = `order by place desc nulls last, "at" desc, decision_id desc`

// placeDecisions makes the table decide_runs: each run's place among those that
// decided.
func (h *House) placeDecisions(ctx context.Context, sess *sql.Internal) error {
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return err
	}
	var rows []string
	for place, r := range runs {
		if r.Stage == weir.Decide && r.Status != Failed {
			rows = append(rows, fmt.Sprintf("(%s, %d)", sql.QuoteText(string(r.RunID)), place))
		}
	}
	if _, err := sess.Exec(ctx, "create or replace table decide_runs (run_id varchar, place bigint)"); err != nil || len(rows) == 0 {
		return err
	}
	_, err = sess.Exec(ctx, "insert into decide_runs select run_id, max(place) from (values "+strings.Join(rows, ", ")+") t(run_id, place) group by run_id")
	return err
}
