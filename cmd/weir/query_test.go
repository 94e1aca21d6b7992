package main

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/lakehouse/sql"
)

// TestNumbersThatJSONLacks: a value that is no number does not end the output.
func TestNumbersThatJSONLacks(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	b, err := json.Marshal(numbers([]any{nan, inf, -inf, 1.5, nil, map[string]any{"a": []any{nan}}}))
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := []any{"NaN", "Infinity", "-Infinity", 1.5, nil, map[string]any{"a": []any{"NaN"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c := cell([]any{nan}); c != `["NaN"]` {
		t.Errorf("a table shows %s", c)
	}
}

// TestKeysAreUnique: columns of one name are told apart as DuckDB does in a file.
func TestKeysAreUnique(t *testing.T) {
	got, err := keys([]sql.Column{{Name: "a"}, {Name: "a"}, {Name: "a"}, {Name: "a_1"}, {Name: `"`}})
	if want := []string{`"a"`, `"a_1"`, `"a_2"`, `"a_1_1"`, `"\""`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
