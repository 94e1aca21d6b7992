package report

import (
	"fmt"
	"math"

	"github.com/weir-cdp/weir/pipelines/segment/score"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
)

// charts draws all that a fitted score has to show, the most telling first.
func charts(f *score.Fitted) []drawing {
	var out []drawing
	q := f.Quality
	if q.CLV != nil && q.CLV.Check != nil {
		out = append(out, checked(q.CLV.Check))
	}
	if m := f.Model.CLV; m != nil {
		out = append(out, staying(m))
	}
	if q.RFM != nil {
		out = append(out, table(q.RFM), cells(q.RFM))
	}
	if p := q.Propensity; p != nil {
		out = append(out, calibration(p), roc(p), lift(p.Lift, p.Rate), top(p))
	}
	if l := q.Lookalike; l != nil {
		out = append(out, lift(l.Lift, 0), differences(f))
	}
	return out
}

// checked is figure 4 of Fader, Hardie and Lee 2005: purchases since the cut-off
// by purchases before it.
func checked(c *score.CLVCheck) drawing {
	most := 0.1
	for _, g := range c.By {
		most = math.Max(most, math.Max(g.Expected, g.Actual))
	}
	p := newPlot("check", fmt.Sprintf("Purchases in the %g days since the cut-off, by customer", c.Days),
		"repeat purchases before the cut-off", "purchases since", float64(len(c.By)), most*1.08)
	p.rungs(plain)
	w := plotWidth / float64(len(c.By))
	for i, g := range c.By {
		x := plotLeft + w*float64(i)
		label := fmt.Sprint(g.Repeats)
		if i == len(c.By)-1 {
			label += "+"
		}
		p.say(x+w/2, plotTop+plotHeight+18, "middle", "level", "%s", label)
		hint := fmt.Sprintf("%g customers: expected %.3f each, bought %.3f", g.Customers, g.Expected, g.Actual)
		p.bar(x+w*0.16, p.y(g.Actual), w*0.32, plotTop+plotHeight-p.y(g.Actual), "chance", "%s", hint)
		p.bar(x+w*0.52, p.y(g.Expected), w*0.32, plotTop+plotHeight-p.y(g.Expected), "for", "%s", hint)
	}
	p.say(plotLeft+8, plotTop+16, "start", "bought", "bought")
	p.say(plotLeft+62, plotTop+16, "start", "precision", "expected")
	return p.drawing
}

// staying shows how P(alive) of a customer of a year falls with silence.
func staying(m *score.CLV) drawing {
	const year = 52.0
	p := newPlot("alive", "Chance that a customer of a year is still active", "weeks since the last purchase", "probability", year, 1)
	p.grid(plain, percent)
	for i, x := range []float64{1, 3, 6, 12} {
		var points [][2]float64
		for silent := 0.0; silent <= year; silent++ {
			points = append(points, [2]float64{silent, m.NBD.Alive(history(x, year-silent, year))})
		}
		class := fmt.Sprintf("c%d", i)
		p.curve(class, points)
		at := points[16+9*i]
		p.say(p.x(at[0])+4, p.y(at[1])-5, "start", class, "%g repeats", x)
	}
	return p.drawing
}

func table(q *score.RFMQuality) drawing {
	const size = 62.0
	n := len(q.Table)
	d := drawing{Name: "table", Title: "Customers by recency and frequency", Width: 60 + size*float64(n) + 30, Height: 30 + size*float64(n) + 44}
	most := int64(1)
	for _, row := range q.Table {
		for _, c := range row {
			most = max(most, c)
		}
	}
	for r, row := range q.Table {
		y := 20 + size*float64(n-1-r) // the best on top
		d.say(48, y+size/2+4, "end", "level", "R %d", r+1)
		for f, c := range row {
			x := 60 + size*float64(f)
			if r == 0 {
				d.say(x+size/2, 20+size*float64(n)+18, "middle", "level", "F %d", f+1)
			}
			share := float64(c) / float64(q.Customers)
			d.Bars = append(d.Bars, bar{x + 1, y + 1, size - 2, size - 2, 0.06 + 0.94*math.Sqrt(float64(c)/float64(most)), "for", fmt.Sprintf("R %d, F %d: %d customers, %s", r+1, f+1, c, percent(share))})
			d.say(x+size/2, y+size/2+4, "middle", "cell", "%s", grouped(c))
		}
	}
	return d
}

func cells(q *score.RFMQuality) drawing {
	var names []string
	var values []float64
	for _, c := range q.Cells {
		name := c.Name
		if name == "" {
			name = "in no cell"
		}
		names, values = append(names, name), append(values, float64(c.Customers))
	}
	return ranking("cells", "Customers by cell", names, values, func(v float64) string { return grouped(int64(v)) })
}

func calibration(q *propensity.Quality) drawing {
	most := 0.05
	for _, b := range q.Calibration {
		most = math.Max(most, math.Max(b.Said, b.Seen))
	}
	most = math.Min(1, most*1.05)
	p := newPlot("calibration", "Calibration: what was said, and what came (held-out profiles, in tenths)", "probability said", "share that did it", most, most)
	p.grid(percent, percent)
	p.curve("diagonal", [][2]float64{{0, 0}, {most, most}})
	var points [][2]float64
	for _, b := range q.Calibration {
		points = append(points, [2]float64{b.Said, b.Seen})
		p.bar(p.x(b.Said)-4, p.y(b.Seen)-4, 8, 8, "for", "%d profiles: said %s, came %s", b.Profiles, percent(b.Said), percent(b.Seen))
	}
	p.curve("precision", points)
	return p.drawing
}

func roc(q *propensity.Quality) drawing {
	p := newPlot("roc", fmt.Sprintf("ROC: AUC %.3f", q.AUC), "share of those who did not, that are reached", "share of those who did, that are reached", 1, 1)
	p.grid(percent, percent)
	p.curve("diagonal", [][2]float64{{0, 0}, {1, 1}})
	var points [][2]float64
	for _, r := range q.ROC {
		points = append(points, [2]float64{r.FalseAlarms, r.Hits})
	}
	p.curve("precision", points)
	return p.drawing
}

// lift shows how many are found among the first.
func lift(ls []propensity.Lift, rate float64) drawing {
	p := newPlot("lift", "Who is found among the first", "share of profiles, the most likely first", "share found", 1, 1)
	p.grid(percent, percent)
	p.curve("diagonal", [][2]float64{{0, 0}, {1, 1}})
	points := [][2]float64{{0, 0}}
	for _, l := range ls {
		points = append(points, [2]float64{l.Share, l.Captured})
		p.bar(p.x(l.Share)-3, p.y(l.Captured)-3, 6, 6, "for", "first %s: %s found, %.2f times chance", percent(l.Share), percent(l.Captured), l.Lift)
		if l.Share >= 0.1 {
			p.say(p.x(l.Share)+6, p.y(l.Captured)+14, "start", "value", "× %.1f", l.Lift)
		}
	}
	p.curve("precision", append(points, [2]float64{1, 1}))
	if rate > 0 { // nobody can do better than to name those who did it, one after the other
		p.curve("best", [][2]float64{{0, 0}, {rate, 1}, {1, 1}})
	}
	return p.drawing
}

func top(q *propensity.Quality) drawing {
	var names []string
	var values []float64
	for _, f := range q.Top[:min(len(q.Top), 12)] {
		name := f.Name
		switch f.Direction {
		case 1:
			name += " ↑"
		case -1:
			name += " ↓"
		}
		names, values = append(names, name), append(values, f.Worth)
	}
	return ranking("features", "What each feature is worth: rise of the log-loss when it is shuffled", names, values, plain)
}

func differences(f *score.Fitted) drawing {
	var names []string
	var values []float64
	features := f.Quality.Lookalike.Features
	for _, x := range features[:min(len(features), 12)] {
		names, values = append(names, x.Name), append(values, x.Difference)
	}
	return ranking("features", "How members differ from the others, in standard deviations", names, values, func(v float64) string { return fmt.Sprintf("%+.2f", v) })
}
