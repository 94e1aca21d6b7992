package stages

import (
	"context"
	"fmt"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// lastDestinations says where the rows of each activation that holds any are.
func (a *activate) lastDestinations(ctx context.Context, pins map[string]int64) (map[string]string, error) {
	scopes, err := a.Lake.ByScope(ctx, "activation.state", pins["activation.state"])
	if err != nil || len(scopes) == 0 {
		return nil, err
	}
	sess, _, err := a.attached(ctx, []string{"activation.state", "activation.deliveries"}, pins)
	if err != nil {
		return nil, err
	}
	defer sess.Close()
	if _, err := sess.Exec(ctx, "set memory_limit = '"+differenceMemory+"'"); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name := range scopes {
		if name == "" {
			continue
		}
		sent := fmt.Sprintf("activation = %s and status in ('delivered', 'unknown')", literals([]string{name}))
		last, err := column[string](ctx, sess, "select distinct destination from activation.deliveries where "+sent+
			" and exists (select 1 from activation.state where activation = "+literals([]string{name})+")")
		if err == nil && len(last) > 1 { // it moved once
			if err = a.placeDeliveries(ctx, sess); err == nil {
				last, err = column[string](ctx, sess, fmt.Sprintf(lastOfSeveral, sent, literals([]string{name})))
			}
		}
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			out[name] = last[0]
		}
	}
	return out, nil
}

// lastOfSeveral takes the delivery that each row held comes from: a sequence grows
// with each delivery to a profile, wherever it went. These lie at one destination,
// unless some are at one that can't be reached any more; then the run that ended last
// counts. Their times don't: --now may lie ahead, or go back.
const lastOfSeveral = `select d.destination from (select destination, run_id, profile_id, sequence, "at" from activation.deliveries where %[1]s) d
	left join activate_runs r on r.run_id = d.run_id and r.destination = d.destination
	order by exists (select 1 from activation.state s where s.activation = %[2]s and s.profile_id = d.profile_id and s.sequence = d.sequence) desc,
		r.place desc nulls last, d."at" desc limit 1`

// placeDeliveries makes the table activate_runs: the place of each run to a
// destination among those that ended.
func (a *activate) placeDeliveries(ctx context.Context, sess *sql.Internal) error {
	runs, err := a.Lake.Runs(ctx)
	if err != nil {
		return err
	}
	var rows []string
	for place, r := range runs {
		if r.Stage == weir.Activate && r.Status != Failed && r.Status != Unchanged {
			rows = append(rows, fmt.Sprintf("(%s, %s, %d)", sql.QuoteText(string(r.RunID)), sql.QuoteText(r.Part), place))
		}
	}
	if _, err := sess.Exec(ctx, "create or replace table activate_runs (run_id varchar, destination varchar, place bigint)"); err != nil || len(rows) == 0 {
		return err
	}
	_, err = sess.Exec(ctx, "insert into activate_runs select run_id, destination, max(place) from (values "+strings.Join(rows, ", ")+") t(run_id, destination, place) group by all")
	return err
}
