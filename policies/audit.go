package policies

import (
	"context"
	"hash/fnv"
	"strings"

	"github.com/weir-cdp/weir"
)

// sampled is the audit's deterministic sample: one profile in 1,024, the same
// ones for the same policy.
func sampled(profile, revision string) bool {
	h := fnv.New64a()
	h.Write([]byte(revision))
	h.Write([]byte(profile))
	x := h.Sum64() // FNV's high bits are weak on short texts: mix as murmur3 ends
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return (x^x>>33)>>54 == 0
}

// audit asks the policy in full, on unabstracted facts, about two different rows
// of each class and about a sample of all rows. A class whose rows get different
// answers would send a denied row: the run is refused.
func (d *Decider) audit(ctx context.Context, rows []Candidate, of []*class) error {
	var ask []key
	due := map[key][]*class{}
	for i := range rows {
		c, raw := of[i], rawKey(&rows[i])
		if !d.witness(c, raw) && !sampled(rows[i].ProfileID, d.gate.revision) {
			continue
		}
		d.stats.Audited++
		if v, done := d.audited[raw]; done {
			if !v.equal(c.verdict) {
				return d.refuse(raw, v, c)
			}
			continue
		}
		if due[raw] == nil {
			ask = append(ask, raw)
		}
		due[raw] = append(due[raw], c)
	}
	verdicts, err := d.askAll(ctx, ask)
	if err != nil {
		return err
	}
	for i, raw := range ask {
		for _, c := range due[raw] {
			if !verdicts[i].equal(c.verdict) {
				return d.refuse(raw, verdicts[i], c)
			}
		}
		if len(d.audited) < maxAudited {
			d.audited[raw] = verdicts[i]
		}
	}
	return nil
}

// witness says whether the row is one of the class's two, different in facts.
func (d *Decider) witness(c *class, raw key) bool {
	for _, w := range c.witnesses {
		if w == raw {
			return false
		}
	}
	if len(c.witnesses) == 2 {
		return false
	}
	c.witnesses = append(c.witnesses, raw)
	return true
}

func (d *Decider) refuse(raw key, v Verdict, c *class) error {
	return weir.Errorf(weir.Invalid, "the policy tells rows of one class apart, so the run of %s is refused and nothing is sent: %s gives %s, %s gives %s",
		d.q.Activation.Name, d.inputOf(c.key).canonical(), words(c.verdict), d.inputOf(raw).canonical(), words(v)).
		At("policy revision " + d.gate.revision).
		Then("let rules compare numbers of days only with values from data files whose names end in _days: weir policy check")
}

func words(v Verdict) string {
	if v.Allow {
		return "allow (" + v.Basis + ")"
	}
	return "deny (" + strings.Join(v.Reasons, ", ") + ")"
}
