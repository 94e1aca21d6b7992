package score

import (
	"cmp"
	"encoding/json"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
	"github.com/weir-cdp/weir/pipelines/segment/score/lookalike"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
	"github.com/weir-cdp/weir/pipelines/segment/score/rfm"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Fitted is what was learned for one score. One of its models is set, unless the
// data were refused.
type Fitted struct {
	Trait   string  `json:"trait"`
	Kind    string  `json:"kind"`
	Refused string  `json:"refused,omitempty"`
	Model   Model   `json:"model"`
	Quality Quality `json:"quality"`
}

// Model is what scores a profile.
type Model struct {
	CLV         *CLV              `json:"clv,omitempty"`
	RFM         *rfm.Cuts         `json:"rfm,omitempty"`
	Propensity  *propensity.Model `json:"propensity,omitempty"`
	Lookalike   *lookalike.Model  `json:"lookalike,omitempty"`
	Percentiles []float64         `json:"percentiles,omitempty"` // of propensity and lookalike: where each hundredth begins
}

// Quality is how good it is.
type Quality struct {
	CLV        *CLVQuality         `json:"clv,omitempty"`
	RFM        *RFMQuality         `json:"rfm,omitempty"`
	Propensity *propensity.Quality `json:"propensity,omitempty"`
	Lookalike  *lookalike.Quality  `json:"lookalike,omitempty"`
}

// Lessons gives the lessons of one score; it may be called again.
type Lessons func() iter.Seq2[Row, error]

// Fit learns a score. Data that tell too little give a Fitted that is refused,
// not an error.
func (p *Plan) Fit(i int, lessons Lessons) (*Fitted, error) {
	s := p.scores[i]
	f := &Fitted{Trait: s.def.Trait, Kind: s.def.Kind}
	var err error
	switch s.def.Kind {
	case "clv":
		err = fitCLV(s, lessons, f)
	case "rfm":
		err = fitRFM(s, lessons, f)
	case "lookalike":
		err = fitLookalike(s, lessons, f)
	default:
		err = fitPropensity(s, lessons, f)
	}
	if weir.CodeOf(err) == weir.Invalid {
		f.Refused, f.Model = err.Error(), Model{}
		return f, nil
	}
	if err != nil {
		return f, err
	}
	if _, unfit := json.Marshal(f); unfit != nil { // a number that is none: one bad score stops nothing else (invariant 8)
		return &Fitted{Trait: f.Trait, Kind: f.Kind, Refused: "the fit came to no finite numbers"}, nil //nolint:nilerr // refused
	}
	return f, nil
}

// RFMQuality counts the customers of each combination.
type RFMQuality struct {
	Customers int64     `json:"customers"`
	Table     [][]int64 `json:"table"` // by R, then F, from 1
	Cells     []Sized   `json:"cells"`
	Money     string    `json:"money"` // of all
}

// Sized is a cell and what is in it.
type Sized struct {
	Name      string `json:"name"` // "": none
	Customers int64  `json:"customers"`
	Money     string `json:"money"`
}

func fitRFM(s *score, lessons Lessons, f *Fitted) error {
	var d rfm.Distribution
	for row, err := range lessons() {
		if err != nil {
			return err
		}
		c, ok := row.customer()
		if !ok {
			return weir.Errorf(weir.Internal, "a lesson of rfm cannot be read")
		}
		d.Add(c)
	}
	cuts, err := d.Cut(s.quantiles())
	if err != nil {
		return err
	}
	if cuts.Customers == 0 {
		return weir.Errorf(weir.Invalid, "no customer has bought anything").Then("check the event's name and its properties")
	}
	f.Model.RFM = &cuts
	scorer, err := cuts.Scorer()
	if err != nil {
		return err
	}
	q := &RFMQuality{Customers: cuts.Customers, Table: make([][]int64, cuts.Quantiles)}
	for i := range q.Table {
		q.Table[i] = make([]int64, cuts.Quantiles)
	}
	type sum struct {
		n     int64
		money value.Number
	}
	cells := map[string]*sum{}
	var money value.Number
	for row, err := range lessons() {
		if err != nil {
			return err
		}
		c, _ := row.customer()
		scores := scorer.Score(c)
		q.Table[scores.R-1][scores.F-1]++
		name := rfm.CellOf(s.cells(), scores)
		if cells[name] == nil {
			cells[name] = &sum{}
		}
		cells[name].n++
		cells[name].money, money = cells[name].money.Add(c.Money), money.Add(c.Money)
	}
	for name, c := range cells {
		q.Cells = append(q.Cells, Sized{name, c.n, c.money.String()})
	}
	slices.SortFunc(q.Cells, func(a, b Sized) int {
		return cmp.Or(cmp.Compare(b.Customers, a.Customers), strings.Compare(a.Name, b.Name))
	})
	q.Money = money.String()
	f.Quality.RFM = q
	return nil
}

func (s *score) quantiles() int {
	if s.def.Quantiles == 0 {
		return 5
	}
	return s.def.Quantiles
}

// cells are the definition's, or the usual ones of five quantiles.
func (s *score) cells() []rfm.Cell {
	if len(s.def.Cells) == 0 {
		if s.quantiles() == 5 {
			return rfm.DefaultCells()
		}
		return nil
	}
	var out []rfm.Cell
	for _, c := range s.def.Cells {
		of := func(r [2]int) rfm.Range { return rfm.Range{From: r[0], To: r[1]} }
		out = append(out, rfm.Cell{Name: c.Name, R: of(c.R), F: of(c.F), M: of(c.M)})
	}
	return out
}

func (r *Row) customer() (rfm.Customer, bool) {
	if len(r.Numbers) != 2 || len(r.Texts) != 1 {
		return rfm.Customer{}, false
	}
	money, ok := value.ParseNumber(r.Texts[0])
	return rfm.Customer{Recency: int64(r.Numbers[0]), Frequency: int64(r.Numbers[1]), Money: money}, ok
}

func (s *score) method() propensity.Method {
	if s.def.Method == "" {
		return propensity.Auto
	}
	return propensity.Method(s.def.Method)
}

// most is how many lessons of a model are held in memory.
const most = 200_000

func fitPropensity(s *score, lessons Lessons, f *Fitted) error {
	d := drawing{seed: s.def.Seed}
	for row, err := range lessons() {
		if err != nil {
			return err
		}
		d.add(row, most)
	}
	var xs []propensity.Example
	for _, r := range d.rows(most) {
		xs = append(xs, propensity.Example{Profile: r.Profile, Raw: r.raw(), Did: r.Did})
	}
	m, q, err := propensity.Learn(s.schema, xs, s.method(), s.def.Seed)
	if err != nil {
		return err
	}
	f.Model.Propensity, f.Quality.Propensity = m, q
	said := make([]float64, len(xs))
	for i, x := range xs {
		said[i] = m.Probability(x.Raw)
	}
	f.Model.Percentiles = percentiles(said)
	return nil
}

func fitLookalike(s *score, lessons Lessons, f *Fitted) error {
	members, others := drawing{seed: s.def.Seed}, drawing{seed: s.def.Seed}
	for row, err := range lessons() {
		if err != nil {
			return err
		}
		if row.Did {
			members.add(row, most/2)
		} else {
			others.add(row, most/2)
		}
	}
	var ps []lookalike.Profile
	for _, r := range append(members.rows(most/2), others.rows(most/2)...) {
		ps = append(ps, lookalike.Profile{ID: r.Profile, Raw: r.raw(), Member: r.Did})
	}
	m, q, err := lookalike.Learn(s.schema, ps, s.def.Seed)
	if err != nil {
		return err
	}
	f.Model.Lookalike, f.Quality.Lookalike = m, q
	var alike []float64
	for _, p := range ps {
		if !p.Member {
			alike = append(alike, m.Similarity(p.Raw))
		}
	}
	f.Model.Percentiles = percentiles(alike)
	return nil
}

// percentiles returns the 99 values below which lie 1 % to 99 %.
func percentiles(xs []float64) []float64 {
	slices.Sort(xs)
	out := make([]float64, 0, 99)
	for k := 1; k < 100; k++ {
		out = append(out, round(xs[k*len(xs)/100], 6))
	}
	return out
}

// round keeps what a score is told with.
func round(x float64, places int) float64 {
	scale := math.Pow10(places)
	return math.Round(x*scale) / scale
}

// drawing keeps the rows of the lowest lots, so that which are kept does not hang
// on their order.
type drawing struct {
	seed uint64
	held []drawn
}

type drawn struct {
	lot float64
	row Row
}

func (d *drawing) add(r Row, most int) {
	d.held = append(d.held, drawn{feature.Lot(d.seed+1, r.Profile), r})
	if len(d.held) >= 2*most {
		d.cut(most)
	}
}

func (d *drawing) cut(most int) {
	slices.SortFunc(d.held, func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.lot, b.lot), strings.Compare(a.row.Profile, b.row.Profile))
	})
	if len(d.held) > most {
		clear(d.held[most:])
		d.held = d.held[:most]
	}
}

func (d *drawing) rows(most int) []Row {
	d.cut(most)
	out := make([]Row, 0, len(d.held))
	for _, h := range d.held {
		out = append(out, h.row)
	}
	return out
}

// CLV is what scores a customer's worth. Its times are in weeks.
type CLV struct {
	NBD      btyd.NBD         `json:"bgnbd"`
	Spending *btyd.GammaGamma `json:"gamma_gamma,omitempty"` // nil: refused
}
