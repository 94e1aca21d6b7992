package model_test

import (
	"reflect"
	"testing"
)

// What is remembered of a value is what it would be made of anew.
func TestPreparerPreparesAlike(t *testing.T) {
	m, rs := trained(t)
	p := m.Preparer()
	for round := range 1 + 20_000/len(rs) { // longer than it tries which columns repeat
		for i := range rs {
			if got, want := p.Prepare(&rs[i]), m.Prepare(&rs[i]); !reflect.DeepEqual(got, want) {
				t.Fatalf("round %d: %+v, want %+v", round, got, want)
			}
		}
	}
}
