package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score"
	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"share": func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"rate":  func(x float64) string { return fmt.Sprintf("%.4g", x) },
	"fixed": func(x float64) string { return fmt.Sprintf("%.3f", x) },
	"whole": func(x float64) string { return grouped(int64(x + 0.5)) },
	"count": func(n any) string { return grouped(integer(n)) },
	"coord": func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"shade": func(x float64) string { return fmt.Sprintf("%.2f", x) },
}).Parse(source))

// Data is what the page shows.
type Data struct {
	Score *score.Fitted
	Run   weir.RunID
	At    time.Time // the run's now
}

// Write writes the page.
func Write(w io.Writer, d Data) error {
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, "page", struct {
		Data
		Charts []drawing
	}{d, charts(d.Score)}); err != nil {
		return weir.Errorf(weir.Internal, "write the score's page: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// Charts names the charts that Chart draws of a score.
func Charts(f *score.Fitted) []string {
	var names []string
	for _, c := range charts(f) {
		names = append(names, c.Name)
	}
	return names
}

// Chart writes one chart as an SVG file.
func Chart(w io.Writer, d Data, name string) error {
	all := charts(d.Score)
	i := slices.IndexFunc(all, func(c drawing) bool { return c.Name == name })
	if i < 0 {
		return weir.Errorf(weir.Invalid, "score %s has no chart %q", d.Score.Trait, name).Then("there are: " + strings.Join(Charts(d.Score), ", "))
	}
	all[i].Standalone = true
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, "chart", all[i]); err != nil {
		return weir.Errorf(weir.Internal, "draw a chart: %w", err)
	}
	_, err := w.Write(append(bytes.TrimSpace(out.Bytes()), '\n'))
	return err
}

func history(repeats, last, age float64) btyd.History {
	return btyd.History{Repeats: repeats, Last: last, Age: age}
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
