package stages

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
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

// decisionsQuery gives all decisions about the people of the table chunk, each as a
// short text: a run may decide on everybody for many activations, and JSON and a window
// over them cost more than all else that is read. merge.inForce picks from them.
const decisionsQuery = `select profile_id, concat_ws('|', coalesce(place, -1), epoch_us("at"), decision_id, class_id, allow::tinyint,
	coalesce(epoch_us(valid_until), 0), activation) from consent.decisions semi join chunk using (profile_id) left join decide_runs using (run_id) order by 1`

// ruling is one of them.
type ruling struct {
	place, at int64
	weir.Decision
}

// after is the order of the constant inForce.
func (r ruling) after(o ruling) bool {
	return cmp.Or(cmp.Compare(r.place, o.place), cmp.Compare(r.at, o.at), strings.Compare(r.ID, o.ID)) > 0
}

// inForce sets a person's decisions in force, one of each activation.
func (m *merge) inForce(p *person, all []string) {
	best := make(map[string]ruling, len(all))
	for _, line := range all {
		r, err := rulingOf(p.profile, line)
		if err != nil {
			m.err = cmp.Or(m.err, err)
			return
		}
		if was, known := best[r.Activation]; !known || r.after(was) {
			best[r.Activation] = r
		}
	}
	for name, r := range best {
		p.decided[name] = r.Decision
	}
}

func rulingOf(profile, line string) (r ruling, err error) {
	var part [6]string
	rest := line
	for i := range part {
		var ok bool
		if part[i], rest, ok = strings.Cut(rest, "|"); !ok {
			return r, weir.Errorf(weir.Internal, "a decision can't be read: %d parts", i)
		}
	}
	number := func(s string) int64 {
		n, e := strconv.ParseInt(s, 10, 64)
		if e != nil {
			err = weir.Errorf(weir.Internal, "a decision can't be read: %w", e)
		}
		return n
	}
	r = ruling{place: number(part[0]), at: number(part[1]), Decision: weir.Decision{ID: part[2], Activation: rest, ProfileID: profile, ClassID: part[3],
		Allow: part[4] == "1", ValidUntil: instant(number(part[5]))}}
	return r, err
}
