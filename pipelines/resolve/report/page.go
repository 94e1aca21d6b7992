package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"share":  func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"rate":   func(x float64) string { return fmt.Sprintf("%.4g", x) },
	"bits":   func(x float64) string { return fmt.Sprintf("%+.1f", x) },
	"whole":  func(x float64) string { return grouped(int64(math.Round(x))) },
	"count":  func(n any) string { return grouped(integer(n)) },
	"coord":  func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"weight": Weight,
	"join":   strings.Join,
}).Parse(source))

// view is Data with what is computed of it.
type view struct {
	Data
	Prior      float64
	Charts     map[string]drawing
	Table      []Point // of the curve, those near the threshold
	HasCurves  bool
	Columns    []columnView
	Unlinkable float64
	Ignored    []*train.Profile
}

type columnView struct {
	model.Column
	Why    string
	Shared []classShare
}

type classShare struct {
	Class  string
	Shared float64
}

// Write writes the page.
func Write(w io.Writer, d Data) error {
	v := view{Data: d, Prior: Prior(d.Model), Charts: map[string]drawing{}}
	for _, c := range charts(d) {
		v.Charts[c.Name] = c
	}
	v.HasCurves = d.Trained != nil && len(d.Trained.Scores) > 0
	if v.HasCurves {
		v.Unlinkable = Unlinkable(d.Trained, d.Model.Threshold)
		for _, p := range Curve(d.Model, d.Trained) {
			if math.Abs(p.Threshold-d.Model.Threshold) <= 6 && p.Threshold == math.Floor(p.Threshold) {
				v.Table = append(v.Table, p)
			}
		}
		for _, p := range d.Trained.Columns {
			if p.Chosen == "" {
				v.Ignored = append(v.Ignored, p)
			}
		}
	}
	for i, c := range d.Model.Columns {
		cv := columnView{Column: c}
		for _, k := range d.Model.Classes {
			cv.Shared = append(cv.Shared, classShare{k.Name, k.Shared[i]})
		}
		v.Columns = append(v.Columns, cv)
	}
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, "page", v); err != nil {
		return weir.Errorf(weir.Internal, "write the model's page: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func charts(d Data) []drawing {
	out := []drawing{weights(d.Model), shares(d.Model)}
	if r := d.Trained; r != nil && len(r.Scores) > 0 {
		out = append(out, thresholds(d.Model, Curve(d.Model, r)), unlinkables(d.Model, r), histogram(d.Model, r))
	}
	return out
}

// Charts names the charts that Chart draws.
func Charts() []string {
	return []string{"weights", "shares", "thresholds", "unlinkables", "histogram"}
}

// Chart writes one chart as an SVG file.
func Chart(w io.Writer, d Data, name string) error {
	for _, c := range charts(d) {
		if c.Name == name {
			c.Standalone = true
			var out bytes.Buffer
			if err := page.ExecuteTemplate(&out, "chart", c); err != nil {
				return weir.Errorf(weir.Internal, "draw a chart: %w", err)
			}
			_, err := w.Write(append(bytes.TrimSpace(out.Bytes()), '\n'))
			return err
		}
	}
	if !slices.Contains(Charts(), name) {
		return weir.Errorf(weir.Invalid, "there is no chart %q", name).Then("there are: " + strings.Join(Charts(), ", "))
	}
	return weir.Errorf(weir.NotFound, "the report of this model's training is not there, and %s needs it", name).Then("weir identity train")
}

func integer(n any) int64 {
	switch n := n.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	}
	return 0
}

// grouped writes 12 345.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
