package report

import (
	"fmt"
	"math"
	"strings"
)

// drawing is a chart as shapes.
type drawing struct {
	Name, Title   string
	Width, Height float64
	Standalone    bool // a file of its own
	Lines         []stroke
	Bars          []bar
	Curves        []curve
	Texts         []text
}

type stroke struct {
	X1, Y1, X2, Y2 float64
	Class          string
}

type bar struct {
	X, Y, W, H, Shade float64 // Shade: opacity
	Class             string
	Hint              string
}

type curve struct{ Points, Class string }

type text struct {
	X, Y   float64
	Anchor string
	Class  string
	Say    string
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	d.Lines = append(d.Lines, stroke{x1, y1, x2, y2, class})
}

func (d *drawing) bar(x, y, w, h float64, class, hint string, args ...any) {
	d.Bars = append(d.Bars, bar{x, y, w, h, 1, class, fmt.Sprintf(hint, args...)})
}

func (d *drawing) say(x, y float64, anchor, class, format string, args ...any) {
	d.Texts = append(d.Texts, text{x, y, anchor, class, fmt.Sprintf(format, args...)})
}

// plot is a drawing with two axes that begin at 0.
type plot struct {
	drawing
	right, top float64 // the largest values
}

const (
	plotLeft   = 64.0
	plotTop    = 26.0
	plotWidth  = 520.0
	plotHeight = 300.0
)

func newPlot(name, title, across, up string, right, top float64) *plot {
	p := &plot{drawing{Name: name, Title: title, Width: plotLeft + plotWidth + 24, Height: plotTop + plotHeight + 52}, right, top}
	p.say(plotLeft, plotTop-10, "start", "level", "%s", up)
	p.say(plotLeft+plotWidth/2, plotTop+plotHeight+42, "middle", "level", "%s", across)
	return p
}

func (p *plot) x(v float64) float64 { return plotLeft + plotWidth*within(v, p.right)/p.right }
func (p *plot) y(v float64) float64 { return plotTop + plotHeight*(1-within(v, p.top)/p.top) }

func within(v, most float64) float64 { return math.Max(0, math.Min(v, most)) }

// grid draws lines at about five round values of each axis; say writes a value.
func (p *plot) grid(across, up func(float64) string) {
	for v := 0.0; v <= p.right*1.0001; v += step(p.right) {
		p.line(p.x(v), plotTop, p.x(v), plotTop+plotHeight, "grid")
		p.say(p.x(v), plotTop+plotHeight+18, "middle", "level", "%s", across(v))
	}
	p.rungs(up)
}

func (p *plot) rungs(up func(float64) string) {
	for v := 0.0; v <= p.top*1.0001; v += step(p.top) {
		p.line(plotLeft, p.y(v), plotLeft+plotWidth, p.y(v), "grid")
		p.say(plotLeft-8, p.y(v)+4, "end", "level", "%s", up(v))
	}
}

// step is a round number that goes about five times into most.
func step(most float64) float64 {
	s := math.Pow(10, math.Floor(math.Log10(most)))
	for most/s < 4 {
		s /= 2
	}
	for most/s > 8 {
		s *= 2
	}
	return s
}

func (p *plot) curve(class string, points [][2]float64) {
	var b strings.Builder
	for _, q := range points {
		fmt.Fprintf(&b, "%.1f,%.1f ", p.x(q[0]), p.y(q[1]))
	}
	p.Curves = append(p.Curves, curve{strings.TrimSpace(b.String()), class})
}

func percent(v float64) string { return fmt.Sprintf("%.3g %%", 100*v) }
func plain(v float64) string   { return fmt.Sprintf("%.4g", v) }

// ranking draws a bar for each named value, the largest first, in both directions.
func ranking(name, title string, names []string, values []float64, say func(float64) string) drawing {
	const row, label = 24.0, 230.0
	d := drawing{Name: name, Title: title, Width: label + 400, Height: row*float64(len(names)) + 20}
	most := 1e-12
	negative := false
	for _, v := range values {
		most = math.Max(most, math.Abs(v))
		negative = negative || v < 0
	}
	zero, room := label, 320.0
	if negative {
		zero, room = label+160, 160
	}
	for i, n := range names {
		y := 8 + row*float64(i)
		if r := []rune(n); len(r) > 34 {
			n = string(r[:33]) + "…"
		}
		d.say(label-8, y+14, "end", "name", "%s", n)
		w, class := room*math.Abs(values[i])/most, "for"
		x := zero
		if values[i] < 0 {
			x, class = zero-w, "against"
		}
		d.bar(x, y+2, w, row-7, class, "%s: %s", n, say(values[i]))
		d.say(label+330, y+14, "start", "value", "%s", say(values[i]))
	}
	d.line(zero, 4, zero, d.Height-8, "axis")
	return d
}
