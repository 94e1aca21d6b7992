package score

import (
	"math"
	"strconv"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
	"github.com/weir-cdp/weir/pipelines/segment/score/purchase"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// State is what one profile's events have come to so far.
type State struct {
	tallies []*tally.State // by moment
	seen    []bool         // by moment: some feature counts an event
	scores  []standing     // by score
}

// standing is of one score.
type standing struct {
	now    purchase.State
	then   *purchase.State // of clv: at the cut-off
	before bool            // of churn and propensity: it happened up to the cut-off
	after  bool            // and in the time since
}

// NewState returns the state of no event.
func (p *Plan) NewState() *State {
	s := &State{seen: make([]bool, len(p.moments)), scores: make([]standing, len(p.scores))}
	for range p.moments {
		s.tallies = append(s.tallies, p.tally.NewState())
	}
	return s
}

// Add takes an event into account; each event must be added once.
func (p *Plan) Add(s *State, e *timeline.Event) {
	if e.At.After(p.now) {
		return
	}
	for i, at := range p.moments {
		if p.tally.Wants(e.Name, e.At, at) { // never an event later than the moment
			s.seen[i] = true
			p.tally.Add(s.tallies[i], e, at)
		}
	}
	for i, sc := range p.scores {
		if sc.picks == nil || !sc.picks.Filter.Picks(e, p.now) {
			continue
		}
		st := &s.scores[i]
		past := !e.At.After(sc.then)
		if sc.def.Kind == "churn" || sc.def.Kind == "propensity" {
			st.before, st.after = st.before || past, st.after || !past
			continue
		}
		bought := purchase.Event{Day: p.day(e.At), Valued: true, Value: sc.value.Of(e).String()}
		if sc.def.Order != "" {
			bought.Order = sc.order.Of(e).String()
		}
		st.now.Add(bought)
		if sc.def.Kind == "clv" && past {
			if st.then == nil {
				st.then = &purchase.State{}
			}
			st.then.Add(bought)
		}
	}
}

// Row is what a score knows of a profile.
type Row struct {
	Score   int32 // counted from 0
	Profile string
	Numbers []float64
	Texts   []string
	Did     bool // of a lesson: what is foretold happened; or a member
}

// Result is what a profile's events come to.
type Result struct {
	Lessons   []Row // to learn from
	Standings []Row // to be scored
	Skipped   int64 // events without a value that is a number
}

// Result returns the rows of a profile. A nil state is of no event.
func (p *Plan) Result(profile *weir.Profile, s *State) Result {
	var out Result
	if s == nil {
		s = p.NewState()
	}
	subjects := make([]*rule.Subject, len(p.moments))
	at := func(moment int) *rule.Subject {
		if subjects[moment] == nil {
			subject, _ := p.tally.Subject(profile, s.tallies[moment], p.moments[moment])
			subjects[moment] = &subject
		}
		return subjects[moment]
	}
	for i, sc := range p.scores {
		if sc.of != profile.Kind {
			continue
		}
		st := &s.scores[i]
		out.Skipped += st.now.Skipped()
		row := Row{Score: int32(i), Profile: profile.ID}
		switch sc.def.Kind {
		case "clv":
			p.clv(sc, st, row, &out)
		case "rfm":
			p.rfm(st, row, &out)
		case "lookalike":
			if !s.seen[0] {
				continue
			}
			row = p.raw(sc, row, at(0))
			row.Did = p.tally.Rule(sc.def.Segment).Matches(at(0))
			out.Lessons, out.Standings = append(out.Lessons, row), append(out.Standings, row)
		default:
			churn := sc.def.Kind == "churn"
			if lesson := row; s.seen[sc.moment] && (!churn || st.before) {
				lesson = p.raw(sc, lesson, at(sc.moment))
				lesson.Did = st.after != churn
				out.Lessons = append(out.Lessons, lesson)
			}
			if s.seen[0] && (!churn || st.before || st.after) {
				out.Standings = append(out.Standings, p.raw(sc, row, at(0)))
			}
		}
	}
	return out
}

// clv rows hold x, t_x, T in days and the mean value of a repeat; a lesson also x,
// t_x, T at the cut-off, if there was a purchase by then, and the days of
// purchases since.
func (p *Plan) clv(sc *score, st *standing, row Row, out *Result) {
	if !st.now.Any() {
		return
	}
	h := st.now.History(p.day(p.now))
	row.Numbers = []float64{h.Repeats, h.Last, h.Age, st.now.RepeatValue()}
	out.Standings = append(out.Standings, row)
	if st.then != nil && st.then.Any() {
		then := st.then.History(p.day(sc.then))
		row.Numbers = append(row.Numbers[:4:4], then.Repeats, then.Last, then.Age, h.Repeats-then.Repeats)
	}
	out.Lessons = append(out.Lessons, row)
}

// rfm rows hold recency and frequency, and the money as an exact text.
func (p *Plan) rfm(st *standing, row Row, out *Result) {
	if !st.now.Any() {
		return
	}
	row.Numbers = []float64{float64(p.day(p.now) - st.now.LastDay()), float64(st.now.Orders())}
	row.Texts = []string{st.now.Money().String()}
	out.Lessons, out.Standings = append(out.Lessons, row), append(out.Standings, row)
}

// raw fills a row's features at the subject's moment.
func (p *Plan) raw(sc *score, row Row, subject *rule.Subject) Row {
	numbers := len(sc.schema.Numbers)
	for i, f := range sc.features {
		var v value.Value
		if f.attribute == "" {
			v = subject.Traits[f.slot]
		} else {
			v = value.OfText(subject.Attributes[f.attribute])
		}
		if i >= numbers {
			row.Texts = append(row.Texts, v.String())
			continue
		}
		row.Numbers = append(row.Numbers, p.number(f, v, subject.Now))
	}
	return row
}

// number is a feature's; a moment becomes the days since it.
func (p *Plan) number(f source, v value.Value, now time.Time) float64 {
	if !v.Known() {
		return math.NaN()
	}
	if f.instant {
		at, ok := v.Time()
		if !ok {
			if at, _, ok = value.ParseMoment(v.String(), p.zone); !ok {
				return math.NaN()
			}
		}
		return now.Sub(at).Hours() / 24
	}
	n, err := strconv.ParseFloat(v.String(), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

func (r *Row) raw() feature.Raw { return feature.Raw{Numbers: r.Numbers, Texts: r.Texts} }
