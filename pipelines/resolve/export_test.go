package resolve

import "testing"

// HoldTogether sets for a test how many bytes of features a process holds together.
func HoldTogether(t *testing.T, n int64) {
	before := heldTogether
	heldTogether = n
	t.Cleanup(func() { heldTogether = before })
}
