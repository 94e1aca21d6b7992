package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// What a person does with the model, command by command.
func TestModelCommands(t *testing.T) {
	t.Parallel()
	p := weirtest.Shop(t, "300")
	middle := []string{"collect", "conform", "resolve", "unify", "segment"}
	p.Run(t, weirtest.Partial, append(middle, "--now", now)...)
	if r := p.Must(t, weirtest.Invalid, "identity", "model"); !strings.Contains(r.Stderr, "model: auto") {
		t.Errorf("without a model: %s", r.Stderr)
	}
	before := p.Fingerprints(t)
	p.Replace(t, "identity.yaml", "person:\n", "person:\n  model: auto\n")
	p.Dev(t)
	var diff struct {
		Records, Moved, Merged int64
		Profiles               [2]int64
		Models                 []struct {
			After string `json:"after"`
		}
	}
	p.Must(t, weirtest.Done, "identity", "diff", "--json").JSON(t, &diff)
	for name, digest := range p.Fingerprints(t) {
		if before[name] != digest {
			t.Errorf("identity diff changed %s", name)
		}
	}
	p.Run(t, weirtest.Done, "resolve", "unify", "segment", "--now", now)
	n := p.Numbers(t, map[string]string{"profiles": "select count(distinct profile_id) from identity.links", "moved": "select count(*) from identity.moves"})
	if diff.Merged == 0 || n["profiles"] != diff.Profiles[1] || n["moved"] != diff.Moved {
		t.Errorf("identity diff says %+v, the run gives %v", diff, n)
	}

	page := p.Path("model.html")
	var model struct {
		Version string `json:"model_version"`
	}
	p.Must(t, weirtest.Done, "identity", "model", "--html", page, "--json").JSON(t, &model)
	if len(diff.Models) != 1 || diff.Models[0].After != model.Version {
		t.Errorf("diff foretold %+v, the model is %s", diff.Models, model.Version)
	}
	d := xml.NewDecoder(strings.NewReader(p.Read(t, "model.html")))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	review(t, p, model.Version)
}

// review answers pairs and trains with them.
func review(t *testing.T, p *weirtest.Project, version string) {
	t.Helper()
	var pairs struct{ Pairs []json.RawMessage }
	p.Must(t, weirtest.Done, "identity", "review", "--limit", "3", "--json").JSON(t, &pairs)
	if len(pairs.Pairs) != 3 {
		t.Fatalf("%d pairs to review", len(pairs.Pairs))
	}
	if r := p.Must(t, weirtest.Done, "identity", "review", "--limit", "3"); !strings.Contains(r.Stdout, "0 answers") { // its input is empty
		t.Errorf("%s", r.Stdout)
	}
	var first struct {
		Left  string `json:"left_record_id"`
		Right string `json:"right_record_id"`
	}
	if err := json.Unmarshal(pairs.Pairs[0], &first); err != nil {
		t.Fatal(err)
	}
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(map[string]string{"left": first.Left, "right": first.Right, "answer": "same"}); err != nil {
		t.Fatal(err)
	}
	p.Write(t, "labels/identity.ndjson", line.String())
	if r := p.Must(t, weirtest.Invalid, "identity", "train"); !strings.Contains(r.Stderr, "--yes") {
		t.Errorf("training without a yes: %s", r.Stderr)
	}
	var trained struct {
		Models []struct {
			Before, After string
			Gain          struct{ Answers int }
		}
		After []json.RawMessage `json:"match_rates_after"`
	}
	p.Must(t, weirtest.Done, "identity", "train", "--yes", "--json").JSON(t, &trained)
	if len(trained.Models) != 1 || trained.Models[0].Before != version || trained.Models[0].Gain.Answers != 1 || len(trained.After) == 0 {
		t.Errorf("%+v", trained)
	}
	p.Write(t, "labels/identity.ndjson", "{\n")
	if r := p.Must(t, weirtest.Invalid, "identity", "model"); !strings.Contains(r.Stderr, "labels/identity.ndjson:1") {
		t.Errorf("a damaged label: %s", r.Stderr)
	}
}
