package policies

import (
	"context"
	"testing"

	"github.com/weir-cdp/weir"
)

func TestEveryMutantOfTheBuiltinPolicyIsNoticed(t *testing.T) {
	f, err := read(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	g := mustLoad(t, "")
	cases, err := f.parseCases(g.vocab)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.mutation(context.Background(), g, cases, func(weir.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d mutants, %d killed, %d do not compile", r.Mutants, r.Killed, r.Invalid)
	for _, m := range r.Survivors {
		t.Errorf("%s: %s: %s", m.Where, m.Kind, m.Text)
	}
}
