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

// This file reads of each person's decisions in force only what was decided, by the
// numbers of activation and class: a rehearsal holds it against what a policy would
// decide. Everybody's decisions for all activations are most of what a rehearsal reads,
// so a person's are one short text.

// unruled is that there is no decision.
const unruled = -1

// priorOf is a decision as a number: its class's, or that of none, and its answer.
func priorOf(class int, allow bool) int32 {
	n := int32(class+1) << 1
	if allow {
		n++
	}
	return n
}

func allowedBefore(prior int32) bool { return prior&1 == 1 }

// classBefore is the number of a decision's class; -1: it is not among the classes.
func classBefore(prior int32) int { return int(prior>>1) - 1 }

// numberDecisions makes the tables by which priorsQuery numbers activations and
// classes, and gives the classes in that order.
func (a *audience) numberDecisions(ctx context.Context, activations []weir.ActivationDef) ([]weir.DecisionClass, error) {
	var rows []string
	for i, def := range activations {
		rows = append(rows, fmt.Sprintf("(%s, %d)", sql.QuoteText(def.Name), i))
	}
	classes := "select ''::varchar as class_id where false"
	if a.have("consent.classes") {
		classes = "select distinct class_id from consent.classes"
	}
	for _, q := range []string{
		"create table numbered_activation (activation varchar, a integer)",
		"insert into numbered_activation values " + cmp.Or(strings.Join(rows, ", "), "('', -1)"),
		"create table numbered_class as select class_id, (row_number() over (order by class_id))::integer - 1 as c from (" + classes + ")",
	} {
		if _, err := a.sess.Exec(ctx, q); err != nil {
			return nil, err
		}
	}
	a.numbered = len(activations)
	if !a.have("consent.classes") {
		return nil, nil
	}
	texts, err := column[string](ctx, a.sess, "select any_value("+rowJSON("consent.classes", "class_id", "policy_revision", "allow", "reasons")+
		") from consent.classes join numbered_class using (class_id) group by c order by c")
	if err != nil {
		return nil, err
	}
	m := &merge{}
	out := make([]weir.DecisionClass, len(texts))
	for i, text := range texts {
		m.decode(text, &out[i])
	}
	return out, m.err
}

// priorsQuery gives all decisions about the people of the table chunk, one text a
// person: of each the numbers of activation and class, the answer, the place of its run
// and, where that is no longer known, the rest of the order of the constant inForce. A
// run decides once on a person for an activation, so that the place tells runs apart.
const priorsQuery = `select profile_id, string_agg(concat_ws(' ', a, coalesce(c, -1), allow::tinyint, coalesce(place, -1),
		case when place is null then epoch_us("at") || ' ' || decision_id end), ',')
	from consent.decisions semi join chunk using (profile_id) join numbered_activation using (activation)
	left join numbered_class using (class_id) left join decide_runs using (run_id) group by profile_id order by 1`

// priors reads what was decided on a person, by the activations' numbers.
func (m *merge) priors(all []string, activations int) []int32 {
	out := make([]int32, activations)
	best := make([]ruling, activations)
	for i := range out {
		out[i] = unruled
	}
	for _, text := range all {
		for one := range strings.SplitSeq(text, ",") {
			a, class, r, err := priorIn(one, activations)
			if err != nil {
				m.err = cmp.Or(m.err, err)
				return out
			}
			if out[a] == unruled || r.after(best[a]) {
				out[a], best[a] = priorOf(class, r.Allow), r
			}
		}
	}
	return out
}

func priorIn(text string, activations int) (a, class int, r ruling, err error) {
	var n [4]int
	for i := range n {
		var part string
		part, text, _ = strings.Cut(text, " ")
		if n[i], err = strconv.Atoi(part); err != nil {
			return 0, 0, r, weir.Errorf(weir.Internal, "a decision can't be read: %w", err)
		}
	}
	if n[0] < 0 || n[0] >= activations {
		return 0, 0, r, weir.Errorf(weir.Internal, "a decision is of no activation")
	}
	r.Allow, r.place = n[2] == 1, int64(n[3])
	if at, id, known := strings.Cut(text, " "); known {
		r.ID = id
		if r.at, err = strconv.ParseInt(at, 10, 64); err != nil {
			err = weir.Errorf(weir.Internal, "a decision can't be read: %w", err)
		}
	}
	return n[0], n[1], r, err
}
