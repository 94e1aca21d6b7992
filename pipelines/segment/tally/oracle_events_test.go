package tally_test

import (
	"crypto/sha256"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// naiveZone places months and years of spans in the random cases.
var naiveZone = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.UTC // TestAgainstOracle skips
	}
	return loc
}()

// naivePiece is contains, starts_with, ends_with and anniversary.
func naivePiece(x thing, c weir.Comparison, now time.Time, zone *time.Location) (held, mine bool) {
	switch c.Op {
	case "anniversary":
		return x.at != nil && naiveAnniversary(*x.at, c.Values, now, zone), true
	case "contains", "starts_with", "ends_with":
		for _, piece := range c.Values {
			if x.text == nil {
				continue
			}
			at := strings.Index(*x.text, piece)
			held = held || at == 0 && c.Op == "starts_with" || at >= 0 && c.Op == "contains" ||
				c.Op == "ends_with" && len(*x.text) >= len(piece) && (*x.text)[len(*x.text)-len(piece):] == piece
		}
		return held, true
	}
	return false, false
}

func naiveAnniversary(at time.Time, values []string, now time.Time, zone *time.Location) bool {
	n, _ := strconv.Atoi(strings.TrimRight(values[1], "dw"))
	if strings.HasSuffix(values[1], "w") {
		n *= 7
	}
	date, today := at.In(zone), now.In(zone)
	for i := range n + 1 {
		step := i
		if values[0] == "last" {
			step = -i
		}
		d := time.Date(today.Year(), today.Month(), today.Day()+step, 12, 0, 0, 0, time.UTC)
		leapless := time.Date(d.Year(), 2, 29, 0, 0, 0, 0, time.UTC).Month() == 3
		same := d.Month() == date.Month() && d.Day() == date.Day() ||
			leapless && date.Month() == 2 && date.Day() == 29 && d.Month() == 2 && d.Day() == 28
		if same && d.Year() > date.Year() {
			return true
		}
	}
	return false
}

// naiveWindow compares local dates, weeks and months by their numbers.
func naiveWindow(w weir.Window, at, now time.Time, zone *time.Location) bool {
	if w.Within != "" {
		return at.After(ago(w.Within, now))
	}
	if len(w.Between) == 2 {
		from, until := w.Between[0], w.Between[1]
		if len(from) == 10 { // dates
			day := at.In(zone).Format("2006-01-02")
			return from <= day && day <= until
		}
		if when(from, zone) != nil {
			return !at.Before(*when(from, zone)) && !at.After(*when(until, zone))
		}
		return at.After(ago(from, now)) && !at.After(ago(until, now))
	}
	number := func(t time.Time, unit string) int {
		t = t.In(zone)
		days := int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
		switch strings.TrimSuffix(unit, "s") {
		case "day":
			return days
		case "week":
			return (days + 3) / 7 // 1970-01-01 was a Thursday
		case "month":
			return t.Year()*12 + int(t.Month()) - 1
		case "quarter":
			return (t.Year()*12 + int(t.Month()) - 1) / 3
		}
		return t.Year()
	}
	unit, n := "day", 0
	if w.During == "yesterday" {
		n = 1
	} else if rest, ok := strings.CutPrefix(w.During, "this_"); ok {
		unit = rest
	} else if rest, ok := strings.CutPrefix(w.During, "last_"); ok {
		unit, n = rest, 1
	} else if words := strings.Fields(w.During); len(words) > 1 {
		unit = words[len(words)-1]
		n, _ = strconv.Atoi(words[1])
	}
	back := number(now, unit) - number(at, unit)
	return n == 0 && back == 0 || n > 0 && back >= 1 && back <= n
}

func (w world) eventsHold(c weir.Condition) bool {
	picked := w.picked(c.Event, c.Where, c.Within, c.Window)
	if c.Which != "" {
		every := w.picked(c.Event, nil, 0, nil)
		if len(every) == 0 {
			return false
		}
		one := every[0]
		if c.Which == "last" {
			one = every[len(every)-1]
		}
		for _, e := range picked {
			if e.ID == one.ID {
				return true
			}
		}
		return false
	}
	tests := c.Count
	if len(tests) == 0 && len(c.Measures) == 0 {
		tests = []weir.Comparison{{Op: "at_least", Values: []string{"1"}}}
	}
	n := int64(len(picked))
	if c.Session != "" {
		n = w.inOneSession(c)
	}
	if !w.passes(thing{num: big.NewRat(n, 1)}, tests, true) {
		return false
	}
	for _, m := range c.Measures {
		x := w.trait(weir.TraitDef{Aggregate: m.How, Field: m.Of, Event: c.Event, Where: c.Where, Within: c.Within, Window: c.Window, Currency: m.Currency})
		if !w.passes(x, m.Compare, false) {
			return false
		}
	}
	return true
}

// naiveRandom is a share by rationals.
func naiveRandom(r weir.Random, id string) bool {
	sum := sha256.Sum256(append([]byte(r.Seed), append([]byte{0}, id...)...))
	place := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetBytes(sum[:8]), big.NewInt(100)), new(big.Int).Lsh(big.NewInt(1), 64))
	from := new(big.Rat)
	if r.From != "" {
		from = rat(r.From)
	}
	return (place.Cmp(from) >= 0 && place.Cmp(rat(r.To)) < 0) != r.Holdout
}
