package stages

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
)

// TestTrainingGoesOn: a training that dies after the first of two models is done
// by the next attempt of the same run.
func TestTrainingGoesOn(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	refs := []resolver.ModelRef{{Kind: weir.Person, Key: "models/person/a.json"}, {Kind: weir.Account, Key: "models/account/a.json"}}
	params, err := json.Marshal(resolver.Params{Models: refs})
	if err != nil {
		t.Fatal(err)
	}
	run := w.next()
	key := runPrefix(run, weir.Resolve, "") + "spec.json"
	if err := w.writeJSON(ctx, key, spec{Spec: pipelines.Spec{Run: run, Stage: weir.Resolve, Params: params}}); err != nil {
		t.Fatal(err)
	}
	died := errors.New("died")
	made := 0
	w.Pipeline = func(ctx context.Context, key string, _ func(weir.Progress)) error {
		s, err := pipelines.ReadSpec(ctx, w.store(), key)
		if err != nil {
			return err
		}
		var wanted resolver.TrainParams
		if err := json.Unmarshal(s.Params, &wanted); err != nil {
			return err
		}
		if len(wanted.Models) != 2 {
			t.Errorf("an attempt is told to make %v", wanted.Models)
		}
		if err := w.store().Put(ctx, refs[made].Key, strings.NewReader("{}"), 2); err != nil {
			return err
		}
		if made++; made == 1 {
			return died
		}
		return nil
	}
	s := &resolving{&pipeline{House: w.House, stage: weir.Resolve}}
	if err := s.train(ctx, key, nil); !errors.Is(err, died) {
		t.Fatalf("the first attempt ends with %v", err)
	}
	for range 2 { // the second has nothing left to do
		if err := s.train(ctx, key, nil); err != nil {
			t.Fatal(err)
		}
	}
	if made != 2 {
		t.Errorf("%d attempts", made)
	}
}
