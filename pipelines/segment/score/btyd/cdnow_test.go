package btyd_test

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
)

// cdnow is the data set of the paper: 1/10 of the customers who first bought at
// an online shop for music in the first quarter of 1997.
type customer struct {
	btyd.History
	mean, alive, orders, value float64
}

func cdnow(t *testing.T) []customer {
	t.Helper()
	f, err := os.Open(data(t, "expected_published_sample.percustomer.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var out []customer
	for _, row := range rows[1:] {
		n := func(name string) float64 {
			v, err := strconv.ParseFloat(row[column[name]], 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		out = append(out, customer{btyd.History{Repeats: n("x"), Last: n("t_x_weeks"), Age: n("T_weeks")},
			n("mean_repeat_spend"), n("p_alive"), n("exp_tx_39w"), n("exp_avg_spend")})
	}
	return out
}

func data(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join("..", "..", "..", "..", "..", "shared", "data", "tx_cdnow", name)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the CDNOW data is not there (%v); put it into ../shared/data/tx_cdnow", err)
	}
	return file
}

func counted(cs []customer) []btyd.Counted {
	var out []btyd.Counted
	for _, c := range cs {
		out = append(out, btyd.Counted{History: c.History, Customers: 1})
	}
	return out
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)+1e-8) {
		t.Errorf("%s: %.8g, published %.8g (%.3f %% off)", what, got, want, 100*math.Abs(got/want-1))
	}
}

type published struct {
	NBD struct{ R, Alpha, A, B float64 } `json:"bgnbd"`
	L   float64                          `json:"bgnbd_loglik"`
	GG  struct{ P, Q, V float64 }        `json:"gamma_gamma"`
	LGG float64                          `json:"gamma_gamma_loglik"`
}

func TestCDNOW(t *testing.T) {
	cs := cdnow(t)
	var want published
	raw, err := os.ReadFile(data(t, "expected_published_sample.params.json"))
	if err == nil {
		err = json.Unmarshal(raw, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	m, q, err := btyd.FitNBD(counted(cs))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v", m, q)
	if len(q.Notes) > 0 {
		t.Errorf("notes: %v", q.Notes)
	}
	const close = 1e-3
	near(t, "r", m.R, want.NBD.R, close)
	near(t, "alpha", m.Alpha, want.NBD.Alpha, close)
	near(t, "a", m.A, want.NBD.A, close)
	near(t, "b", m.B, want.NBD.B, close)
	near(t, "log-likelihood", q.LogLikelihood, want.L, 1e-7)
	var spends []btyd.Spend
	for _, c := range cs {
		spends = append(spends, btyd.Spend{Repeats: c.Repeats, Mean: c.mean, Customers: 1})
	}
	g, gq, err := btyd.FitGammaGamma(spends)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v", g, gq)
	near(t, "p", g.P, want.GG.P, close)
	near(t, "q", g.Q, want.GG.Q, close)
	near(t, "gamma", g.Gamma, want.GG.V, close)
	near(t, "log-likelihood", gq.LogLikelihood, want.LGG, 1e-7)
	for i, c := range cs {
		near(t, "alive", m.Alive(c.History), c.alive, 1e-3)
		near(t, "orders", m.Expected(39, c.History), c.orders, 1e-3)
		near(t, "value", g.Value(c.Repeats, c.mean), c.value, 1e-3)
		if t.Failed() {
			t.Fatalf("customer %d: %+v", i+1, c)
		}
	}
	// Fader, Hardie and Lee 2005, table 2: customer 1 by the note to the Excel sheet.
	near(t, "orders of customer 1", m.Expected(39, btyd.History{Repeats: 2, Last: 30.43, Age: 38.86}), 1.226, 1e-3)
}

// Days, hours or years say the same, and so does any order of the customers.
func TestUnitsAndOrderDoNotMatter(t *testing.T) {
	cs := cdnow(t)
	want, _, err := btyd.FitNBD(counted(cs))
	if err != nil {
		t.Fatal(err)
	}
	backwards := counted(cs)
	for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
		backwards[i], backwards[j] = backwards[j], backwards[i]
	}
	if got, _, _ := btyd.FitNBD(backwards); got != want {
		t.Errorf("in another order %+v, not %+v", got, want)
	}
	for _, unit := range []float64{7, 168, 7.0 / 365, 1e6} {
		hs := counted(cs)
		for i := range hs {
			hs[i].Last *= unit
			hs[i].Age *= unit
		}
		got, _, err := btyd.FitNBD(hs)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "r", got.R, want.R, 1e-5)
		near(t, "alpha", got.Alpha/unit, want.Alpha, 1e-5)
		near(t, "a", got.A, want.A, 1e-5)
		near(t, "b", got.B, want.B, 1e-5)
	}
}
