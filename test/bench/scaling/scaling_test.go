package scaling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

const (
	figures = "../../../docs/scaling.json"
	guide   = "../../../docs/scaling.md"
	begin   = "<!-- figures: make bench BENCH=\"-only scaling -scaling docs/scaling.json\", then WEIR_WRITE=1 go test ./test/bench/scaling -->\n"
	end     = "<!-- end of figures -->\n"
)

func measured(t *testing.T) Measured {
	t.Helper()
	data, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var m Measured
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGuideHasTheFiguresOfTheMeasures makes the simulation in docs/scaling.md
// reproducible: it is this program's output for docs/scaling.json.
func TestGuideHasTheFiguresOfTheMeasures(t *testing.T) {
	var want bytes.Buffer
	Document(&want, measured(t), Cloud, Day, 1000, 5000)
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	have, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for figures: %s…%s", guide, begin, end)
	}
	if have == want.String() {
		return
	}
	if os.Getenv("WEIR_WRITE") == "" {
		t.Fatalf("%s has other figures than %s gives; WEIR_WRITE=1 writes them", guide, figures)
	}
	if err := os.WriteFile(guide, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFitFindsWhatMadeTheCosts(t *testing.T) {
	for _, want := range []Cost{{3, 20, 7}, {0, 5, 0}, {1, 0, 2}, {4, 0, 0}, {2e6, 3e8, 1e8}} {
		var points []Point
		for _, p := range []Point{{1, 5, 0}, {4, 20, 0}, {2, 6, 0}} {
			p.Cost = want.Of(p.Records, p.Events)
			points = append(points, p)
		}
		got := Fit(points)
		if math.Abs(got.Fixed-want.Fixed)+math.Abs(got.Record-want.Record)+math.Abs(got.Event-want.Event) > 1e-6*max(1, want.Record) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	// Costs that only a negative part would meet exactly.
	got := Fit([]Point{{1, 5, 10}, {4, 20, 100}, {2, 6, 12}})
	if got.Fixed < 0 || got.Record < 0 || got.Event < 0 || got == (Cost{}) {
		t.Errorf("got %+v", got)
	}
}

// TestProjectionMeetsWhatWasMeasured projects the largest size itself: times and bytes
// must come out near what was found there, references within what they are an upper
// bound of.
func TestProjectionMeetsWhatWasMeasured(t *testing.T) {
	m := measured(t)
	large := m.Large()
	lines := map[string]Line{}
	for _, l := range Project(m, Cloud, float64(large.Records())/1e6, float64(large.Events())/1e6) {
		lines[strings.TrimSpace(l.Stage+" "+l.Step)] = l
	}
	near := func(what string, got, want, off float64) {
		if want > 0 && math.Abs(got-want) > off*want {
			t.Errorf("%s: %.3g on paper, %.3g measured", what, got, want)
		}
	}
	for _, p := range large.Pipeline {
		for _, s := range p.Steps {
			l, ok := lines[p.Name+" "+s.Name]
			if s.Tasks == 0 || !ok {
				continue
			}
			name := fmt.Sprint(p.Name, " ", s.Name)
			if s.CPUS > 2 { // shorter ones are noise: other work shared the cores
				near(name+" CPU", l.CPUS, s.CPUS, 0.25)
			}
			near(name+" scratch", l.ScratchGB*1e9, float64(s.Read+s.Written), 0.1)
			near(name+" tasks", l.Tasks, float64(s.Tasks), 0.35)
			near(name+" references", l.Elements, float64(s.Elements), 0.35)
		}
	}
}

// TestShuffleGrowsWithTheSquare shows that the model has what makes references many:
// each task sends to each partition, until there are no more of those.
func TestShuffleGrowsWithTheSquare(t *testing.T) {
	m := measured(t)
	elements := func(records float64) (sum float64) {
		for _, l := range Project(m, Cloud, records, 5*records) {
			sum += l.Elements
		}
		return sum
	}
	if e := Growth(elements(10), elements(100), 10, 100); e < 1.9 || e > 2.1 {
		t.Errorf("from 10 to 100 million records references grow with the power %.2f", e)
	}
	if e := Growth(elements(2000), elements(20000), 2000, 20000); e > 1.5 {
		t.Errorf("with all partitions in use references still grow with the power %.2f", e)
	}
}

func TestBreaksAreInOrderAndAtTheirLimit(t *testing.T) {
	m := measured(t)
	all := Breaks(m, Cloud, Day, 5, 1000)
	if len(all) == 0 {
		t.Fatal("nothing gives way at a billion records")
	}
	for i, b := range all {
		if i > 0 && b.Records < all[i-1].Records {
			t.Errorf("%v comes after %v", b, all[i-1])
		}
		if !b.Line.breaks(b.What, Cloud, Day) {
			t.Errorf("%+v does not break there", b)
		}
	}
	larger := Cloud
	larger.WorkerGB *= 4
	for i, b := range Breaks(m, larger, Day, 5, 1000) {
		if b.What == "memory" && b.Records <= all[0].Records {
			t.Errorf("%d: a larger machine breaks as early: %+v", i, b)
		}
	}
}
