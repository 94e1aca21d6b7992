package rule

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// whole is 100 percent in billionths.
const whole = 100_000_000_000

// share is a compiled weir.Random: percent in billionths.
type share struct {
	seed     string
	from, to int64
	holdout  bool
}

// Position places a profile on the line from 0 to before 100 percent of a seed,
// in billionths: the first 8 bytes of SHA-256(seed, 0, profile id) as a fraction.
func Position(seed, profile string) int64 {
	sum := sha256.Sum256([]byte(seed + "\x00" + profile))
	position, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), whole)
	return int64(position)
}

func (s *share) has(profile string) bool {
	p := Position(s.seed, profile)
	return (s.from <= p && p < s.to) != s.holdout
}

func (c *compiler) random(n *Node) {
	r := n.Condition.Random
	n.share = &share{seed: r.Seed, holdout: r.Holdout}
	if r.Seed == "" {
		n.share.seed = c.segment
	}
	percent := func(s string) int64 {
		x, ok := value.ParseNumber(s)
		b, small := x.Billionths()
		if !ok || !small || b < 0 || b > whole {
			c.fail(n.Condition, weir.Errorf(weir.Invalid, "percent is a number from 0 to 100, not %q", s).Then("write it like random: {percent: 10, seed: winter}"))
		}
		return b
	}
	if r.From != "" {
		n.share.from = percent(r.From)
	}
	n.share.to = percent(r.To)
	if n.share.from >= n.share.to {
		c.failf(n.Condition, "a share from %s to %s percent is nobody", r.From, r.To)
	}
}
