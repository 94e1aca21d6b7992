package rule

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/weir-cdp/weir"
)

// cells numbers the different conditions of a book's rules: equal ones have one
// number, wherever they stand, and so have the same ones joined in the same way.
type cells struct {
	byKey map[[sha256.Size]byte]int
	n     int
}

// number gives a compiled node its number; its children have theirs.
func (c *cells) number(n *Node) error {
	key := struct {
		Form      Form
		Children  []int
		Condition weir.Condition
		Location  string
		Seed      string
		Related   int // its slot, and one
	}{Form: n.Form, Location: n.loc.String()}
	for _, child := range n.Children {
		key.Children = append(key.Children, child.cell)
	}
	if len(n.Children) == 0 {
		key.Condition = n.Condition.Unplaced()
	}
	if n.Form == Related { // equal texts may ask different questions: a random share goes by the segment's name
		key.Related = n.slot + 1
	}
	if n.share != nil {
		key.Seed = n.share.seed
	}
	text, err := json.Marshal(key)
	if err != nil {
		return weir.Errorf(weir.Internal, "condition %s: %w", n.Form, err)
	}
	sum := sha256.Sum256(fmt.Appendf(text, " %s", n.typ))
	cell, known := c.byKey[sum]
	if !known {
		if c.byKey == nil {
			c.byKey = map[[sha256.Size]byte]int{}
		}
		cell = c.n
		c.byKey[sum] = cell
		c.n++
	}
	n.cell = cell
	return nil
}
