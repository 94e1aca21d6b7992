package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

func sample() Data {
	return Data{Kind: "person", Version: "m-0123", Run: "r1", At: time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC),
		Notes: []string{"a note with <script>alert(1)</script>"},
		Model: model.Content{Threshold: 2, MaxBlock: 400, Trained: model.Trained{Seed: 1, Records: 100, Total: 1000, Matches: 90},
			Columns: []model.Column{
				{Name: `<b>"name"</b>`, Kind: "name", Complete: 0.92, Levels: []model.Level{{Name: "exact", M: 0.8, U: 0.001}, {Name: "near & so", M: 0.15, U: 0.01}, {Name: "differ", M: 0.05, U: 0.989}}},
				{Name: "email", IsIdentifier: true, Kind: "email", Complete: 0.41, Levels: []model.Level{{Name: "exact", M: 0.7, U: 1e-6}, {Name: "differ", M: 0.3, U: 0.999999}}}},
			Classes: []model.Class{{Name: "strangers", Prior: 0.9998, Shared: []float64{0, 0}}, {Name: "same", Match: true, Prior: 0.0002, Shared: []float64{1, 1}}},
			Rules:   []model.Rule{{Name: "email", Pairs: 120}}},
		Trained: &train.Report{SamplePairs: 4950, SampleMatches: 10,
			Scores:     []train.ScoreBin{{From: -20, Pairs: 4900, Matches: 0.1}, {From: 1, Pairs: 4, Matches: 3}, {From: 3, Pairs: 2, Matches: 1.9}, {From: 12, Pairs: 4, Matches: 4}},
			Unlinkable: []train.RecordBin{{From: -5, Records: 10}, {From: 1.5, Records: 10}, {From: 2, Records: 20}, {From: 14, Records: 60}},
			Columns:    []*train.Profile{{Name: "notes", Records: 3, Distinct: 3, Why: "no value repeats"}}},
		Blocks: []Block{{Rule: "email", Expected: 120, Counted: 100, Lost: 3, Matches: 0.7, Added: 0.7}}}
}

// parsed reads a page as XML and returns its text and elements.
func parsed(t *testing.T, page []byte) (text string, elements map[string]int) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	elements = map[string]int{}
	var b strings.Builder
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), elements
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			elements[tok.Name.Local]++
			for _, a := range tok.Attr {
				if n := a.Name.Local; n == "src" || n == "href" || strings.HasPrefix(n, "on") {
					t.Errorf("%s has an attribute %s", tok.Name.Local, n)
				}
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("%s %s=%q", tok.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			b.Write(tok)
		}
	}
}

func TestPageIsWholeAndSafe(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, sample()); err != nil {
		t.Fatal(err)
	}
	text, elements := parsed(t, out.Bytes())
	if elements["svg"] != 5 || elements["script"]+elements["link"]+elements["img"]+elements["b"] != 0 {
		t.Errorf("elements %v", elements)
	}
	if strings.Contains(out.String(), "//") {
		t.Error("the page names a place on the network")
	}
	for _, want := range []string{`<b>"name"</b>`, "near & so", "<script>alert(1)</script>", "m-0123", "92.0 %", "no value repeats", "20.0 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	golden(t, "page.golden.html", out.Bytes())
}

func TestPageWithoutAReportOfTraining(t *testing.T) {
	d := sample()
	d.Trained, d.Blocks = nil, nil
	d.Model.Columns, d.Model.Rules = nil, nil
	d.Model.Classes = nil // a model that learned nothing
	var out bytes.Buffer
	if err := Write(&out, d); err != nil {
		t.Fatal(err)
	}
	if _, elements := parsed(t, out.Bytes()); elements["svg"] != 2 {
		t.Errorf("elements %v", elements)
	}
	if err := Chart(io.Discard, d, "histogram"); weir.CodeOf(err) != weir.NotFound {
		t.Error(err)
	}
	if err := Chart(io.Discard, d, "pie"); weir.CodeOf(err) != weir.Invalid {
		t.Error(err)
	}
}

func TestEachChartAlone(t *testing.T) {
	for _, name := range Charts() {
		var out bytes.Buffer
		if err := Chart(&out, sample(), name); err != nil {
			t.Fatal(err)
		}
		if _, elements := parsed(t, out.Bytes()); elements["svg"] != 1 || elements["style"] != 1 {
			t.Errorf("%s: %v", name, elements)
		}
	}
}

func TestCurveByHand(t *testing.T) {
	d := sample()
	ps := Curve(d.Model, d.Trained)
	scale := 1000.0 * 999 / 2 / 4950
	for i, want := range []Point{
		{Threshold: -20, Links: 4910 * scale, Precision: 9 / 4910.0, Recall: 0.9},
		{Threshold: 1, Links: 10 * scale, Precision: 0.89, Recall: 0.89, Unlinkable: 0.1},
		{Threshold: 3, Links: 6 * scale, Precision: 5.9 / 6, Recall: 0.59, Unlinkable: 0.4},
		{Threshold: 12, Links: 4 * scale, Precision: 1, Recall: 0.4, Unlinkable: 0.4},
	} {
		want.Probability = 1 / (1 + math.Exp2(-want.Threshold))
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }
		got := ps[i]
		if got.Threshold != want.Threshold || !near(got.Links, want.Links) || !near(got.Precision, want.Precision) || !near(got.Recall, want.Recall) ||
			!near(got.Unlinkable, want.Unlinkable) || !near(got.Probability, want.Probability) {
			t.Errorf("%+v, not %+v", got, want)
		}
	}
	if w := Weight(model.Level{M: 0.8, U: 0.1}); w != 3 {
		t.Error(w)
	}
	if !Reached(d.Model, d.Trained) {
		t.Error("a pair has 12 bits")
	}
	d.Model.Threshold = 13
	if Reached(d.Model, d.Trained) {
		t.Error("no pair has 13 bits")
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("WEIR_WRITE") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs; look at the page, then run again with WEIR_WRITE=1: %s", name, firstDifference(want, got))
	}
}

func firstDifference(a, b []byte) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%q, was %q", b[max(0, i-40):min(len(b), i+40)], a[max(0, i-40):min(len(a), i+40)])
		}
	}
	return "one is longer"
}
