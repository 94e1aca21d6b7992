package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
)

func TestNames(t *testing.T) {
	var texts []string
	for i := range 5000 {
		texts = append(texts, fmt.Sprintf("crm/contacts/%d", (i*7919)%4000))
	}
	texts = append(texts, "", "é", "\xff")
	want := slices.Clone(texts)
	slices.Sort(want)
	want = slices.Compact(want)
	n, err := cluster.NewNames(texts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(n.All(), want) || n.Len() != len(want) {
		t.Fatal("not all texts, or not in order")
	}
	for i, w := range want {
		if n.Find(w) != int32(i) || n.At(int32(i)) != w {
			t.Fatalf("%q is %d, %d is %q", w, n.Find(w), i, n.At(int32(i)))
		}
	}
	for _, absent := range []string{"crm/contacts/4000", "crm", "zz"} {
		if n.Find(absent) != -1 {
			t.Errorf("%q is found", absent)
		}
	}
	empty, err := cluster.NewNames(nil)
	if err != nil || empty.Find("x") != -1 {
		t.Errorf("no names: %v", err)
	}
}
