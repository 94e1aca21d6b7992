package stages

import "testing"

// A value that a person has no longer is told as null: a field that is left out
// stays at a destination as it was.
func TestAVanishedValueIsToldAsNull(t *testing.T) {
	w := one(t)
	w.rename("p1", "Ann")
	w.deliver()
	w.rename("p1", "")
	w.deliver()
	w.holds(map[string]string{"a@x.org": "p1 a@x.org <nil>"})
	if w.deliver(); len(w.tool.log) != 2 {
		t.Errorf("%d deliveries%s", len(w.tool.log), w.story())
	}
}
