package stages

import (
	"context"
)

// RuleCounts counts, by code of a reason and by name of a basis, the people about whom it
// decides by the decisions in force, in all activations; empty before anything is decided.
func (h *House) RuleCounts(ctx context.Context) (map[string]int64, error) {
	q, err := h.ask(ctx, "consent.decisions", "consent.classes")
	if err != nil {
		return nil, err
	}
	defer q.close()
	if err := h.placeDecisions(ctx, q.sess); err != nil {
		return nil, err
	}
	type counted struct {
		Code string `json:"code"`
		N    int64  `json:"n"`
	}
	rows, err := decoded[counted](ctx, q, `select to_json({code: code, n: n})::varchar from (
		select code, count(*) as n from (
			select unnest(case when d.allow then [c.basis] else c.reasons end) as code
			from (select * from consent.decisions left join decide_runs using (run_id) qualify row_number() over (partition by activation, profile_id `+inForce+`) = 1) d
			join consent.classes c using (class_id))
		group by code) order by code`)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, r := range rows {
		out[r.Code] = r.N
	}
	return out, nil
}
