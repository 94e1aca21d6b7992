package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
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
	X, Y, W, H float64
	Class      string
	Hint       string
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

func (d *drawing) say(x, y float64, anchor, class, format string, args ...any) {
	d.Texts = append(d.Texts, text{x, y, anchor, class, fmt.Sprintf(format, args...)})
}

const (
	rowHeight = 18.0
	leftRoom  = 300.0
	plotWidth = 460.0
)

// rows calls f for each level of each column, from the top, and returns the height.
func rows(c model.Content, d *drawing, f func(y float64, l model.Level)) float64 {
	y := 34.0
	for _, col := range c.Columns {
		d.say(8, y+13, "start", "name", "%s", shortened(col.Name))
		d.say(8, y+27, "start", "kind", "%s, %.0f %% filled", col.Kind, 100*col.Complete)
		top := y
		for _, l := range col.Levels {
			d.say(leftRoom-8, y+13, "end", "level", "%s", l.Name)
			f(y, l)
			y += rowHeight
		}
		y = max(y, top+2*rowHeight) + 8
		d.line(8, y-4, leftRoom+plotWidth+70, y-4, "rule")
	}
	return y + 4
}

// shortened keeps a name from running into the levels beside it.
func shortened(name string) string {
	const most = 28
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}

// weights draws the match weight of each level: right of the middle is evidence
// for, left against.
func weights(c model.Content) drawing {
	d := drawing{Name: "weights", Title: "Match weight of each level of agreement, in bits", Width: leftRoom + plotWidth + 80}
	most := 1.0
	for _, col := range c.Columns {
		for _, l := range col.Levels {
			most = max(most, math.Abs(Weight(l)))
		}
	}
	mid := leftRoom + plotWidth/2
	scale := plotWidth / 2 / most
	d.Height = rows(c, &d, func(y float64, l model.Level) {
		w := Weight(l)
		b := bar{X: mid, Y: y + 2, W: math.Abs(w) * scale, H: rowHeight - 4, Class: "for", Hint: fmt.Sprintf("%s: %+.1f bits (m %.3g, u %.3g)", l.Name, w, l.M, l.U)}
		if w < 0 {
			b.X, b.Class = mid-b.W, "against"
		}
		d.Bars = append(d.Bars, b)
		d.say(leftRoom+plotWidth+8, y+13, "start", "value", "%+.1f", w)
	})
	d.line(mid, 26, mid, d.Height-8, "axis")
	d.say(mid-6, 20, "end", "level", "less likely the same")
	d.say(mid+6, 20, "start", "level", "more likely the same")
	return d
}

// shares draws m and u of each level, on a scale of square roots so that rare
// levels are seen.
func shares(c model.Content) drawing {
	d := drawing{Name: "shares", Title: "How often pairs that are the same (m) and random pairs (u) show each level", Width: leftRoom + plotWidth + 80}
	d.Height = rows(c, &d, func(y float64, l model.Level) {
		hint := fmt.Sprintf("%s: m %.4g, u %.4g", l.Name, l.M, l.U)
		d.Bars = append(d.Bars,
			bar{X: leftRoom, Y: y + 2, W: plotWidth * math.Sqrt(l.M), H: rowHeight/2 - 2, Class: "for", Hint: hint},
			bar{X: leftRoom, Y: y + rowHeight/2, W: plotWidth * math.Sqrt(l.U), H: rowHeight/2 - 2, Class: "chance", Hint: hint})
	})
	for _, s := range []float64{0, 0.01, 0.1, 0.25, 0.5, 1} {
		x := leftRoom + plotWidth*math.Sqrt(s)
		d.line(x, 26, x, d.Height-8, "grid")
		d.say(x, 20, "middle", "level", "%g %%", 100*s)
	}
	return d
}

// frame is a plot over a range of thresholds.
type frame struct {
	drawing
	from, to float64
}

const (
	plotLeft   = 60.0
	plotTop    = 18.0
	plotHeight = 220.0
	wide       = 660.0
)

func newFrame(name, title string, from, to, threshold float64) *frame {
	f := &frame{drawing{Name: name, Title: title, Width: plotLeft + wide + 20, Height: plotTop + plotHeight + 44}, from, to}
	bottom := plotTop + plotHeight
	step := 2.0
	for (to-from)/step > 16 {
		step *= 2
	}
	for s := math.Ceil(from/step) * step; s <= to; s += step {
		f.line(f.x(s), plotTop, f.x(s), bottom, "grid")
		f.say(f.x(s), bottom+16, "middle", "level", "%g", s)
	}
	f.say(plotLeft+wide/2, bottom+36, "middle", "level", "score: log2 odds")
	if threshold >= from && threshold <= to {
		f.line(f.x(threshold), plotTop, f.x(threshold), bottom, "threshold")
		f.say(f.x(threshold), plotTop-6, "middle", "value", "threshold %.3g", threshold)
	}
	return f
}

func (f *frame) x(score float64) float64 {
	return plotLeft + wide*(min(max(score, f.from), f.to)-f.from)/(f.to-f.from)
}

func (f *frame) y(share float64) float64 { return plotTop + plotHeight*(1-share) }

func (f *frame) percents() {
	for _, s := range []float64{0, 0.25, 0.5, 0.75, 1} {
		f.line(plotLeft, f.y(s), plotLeft+wide, f.y(s), "grid")
		f.say(plotLeft-6, f.y(s)+4, "end", "level", "%g %%", 100*s)
	}
}

func (f *frame) curve(ps []Point, class string, share func(Point) float64) {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%.1f,%.1f ", f.x(p.Threshold), f.y(min(max(share(p), 0), 1)))
	}
	f.Curves = append(f.Curves, curve{strings.TrimSpace(b.String()), class})
}

// within leaves out what is so far off that nobody would put a threshold there.
func within(ps []Point, from, to float64) []Point {
	return slices.DeleteFunc(slices.Clone(ps), func(p Point) bool { return p.Threshold < from || p.Threshold > to })
}

func thresholds(c model.Content, ps []Point) drawing {
	f := newFrame("thresholds", "What each threshold would give, as the model expects", -10, 30, c.Threshold)
	f.percents()
	near := within(ps, -10, 30)
	f.curve(near, "precision", func(p Point) float64 { return p.Precision })
	f.curve(near, "recall", func(p Point) float64 { return p.Recall })
	f.say(plotLeft+wide-6, f.y(0.2), "end", "precision", "precision")
	f.say(plotLeft+wide-6, f.y(0.12), "end", "recall", "recall")
	return f.drawing
}

func unlinkables(c model.Content, r *train.Report) drawing {
	f := newFrame("unlinkables", "Records that hold too little to be linked at a threshold", -10, 40, c.Threshold)
	f.percents()
	var ps []Point
	for s := -10.0; s <= 40; s += 0.5 {
		ps = append(ps, Point{Threshold: s, Unlinkable: Unlinkable(r, s)})
	}
	f.curve(ps, "against", func(p Point) float64 { return p.Unlinkable })
	return f.drawing
}

// histogram counts pairs by score on a logarithmic scale.
func histogram(c model.Content, r *train.Report) drawing {
	f := newFrame("histogram", "Pairs by score, of those that training compared", -30, 40, c.Threshold)
	most := 10.0
	if len(r.Scores) > 0 {
		most = max(most, slices.MaxFunc(r.Scores, func(a, b train.ScoreBin) int { return cmp.Compare(a.Pairs, b.Pairs) }).Pairs)
	}
	decades := math.Ceil(math.Log10(most))
	height := func(n float64) float64 { return math.Log10(1+max(n, 0)) / decades }
	for k := 0.0; k <= decades; k++ {
		f.line(plotLeft, f.y(k/decades), plotLeft+wide, f.y(k/decades), "grid")
		f.say(plotLeft-6, f.y(k/decades)+4, "end", "level", "%.0f", math.Pow(10, k))
	}
	w := wide / ((f.to - f.from) * 2)
	for _, b := range r.Scores {
		if b.From < f.from || b.From >= f.to {
			continue
		}
		hint := fmt.Sprintf("%g to %g: %.0f pairs, %.1f expected to be the same", b.From, b.From+0.5, b.Pairs, b.Matches)
		for _, part := range []struct {
			n     float64
			class string
		}{{b.Pairs, "chance"}, {b.Matches, "for"}} {
			h := plotHeight * min(height(part.n), 1)
			f.Bars = append(f.Bars, bar{X: f.x(b.From), Y: plotTop + plotHeight - h, W: w - 0.5, H: h, Class: part.class, Hint: hint})
		}
	}
	return f.drawing
}
