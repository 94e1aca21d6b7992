package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// began is when the first round's run is, and its files were written.
var began = time.Date(2026, 6, 30, 18, 0, 0, 0, time.UTC)

// at is the now of a round's runs.
func at(round int) string { return began.Add(time.Duration(round) * time.Hour).Format(time.RFC3339) }

// change edits a shop's files for a round: every third contact's first name, a
// hundredth's address, and a fortieth withdraws. The same round changes the same.
func change(t testing.TB, p *weirtest.Project, round int) {
	t.Helper()
	if round == 0 {
		return
	}
	lines := bytes.Split([]byte(p.Read(t, "data/crm.csv")), []byte("\r\n"))
	var gone strings.Builder
	for i, line := range lines {
		fields := bytes.Split(line, []byte(";"))
		if i == 0 || len(fields) != 11 {
			continue
		}
		if email := string(fields[4]); i%40 == round%40 && strings.Contains(email, "@") && !strings.ContainsAny(email, "<>& ") {
			fmt.Fprintf(&gone, `<optin id="W%d-%d"><email>%s</email><purpose>marketing.newsletter</purpose><channel>email</channel><action>unsubscribe</action><at>%s</at><form>form-1</form><country>FR</country></optin>`,
				round, i, email, began.Add(time.Duration(round)*time.Hour-time.Minute).Format(time.RFC3339))
			gone.WriteString("\n")
		}
		if i%3 == round%3 {
			fields[1] = fmt.Appendf(nil, "Chosen%c", 'a'+rune(round%26))
		}
		if i%100 == round%100 {
			fields[4] = fmt.Appendf(nil, "moved.%d.%d@mail.example", round, i)
		}
		lines[i] = bytes.Join(fields, []byte(";"))
	}
	p.Write(t, "data/crm.csv", string(bytes.Join(lines, []byte("\r\n"))))
	p.Replace(t, "data/optins.xml", "</optins>", gone.String()+"</optins>")
	for _, name := range []string{"data/crm.csv", "data/optins.xml"} {
		written := began.Add(time.Duration(round) * time.Hour)
		if err := os.Chtimes(p.Path(name), written, written); err != nil {
			t.Fatal(err)
		}
	}
}

// kill is one that happened.
type kill struct {
	round int
	how   string // at a moment, or at a request before or after it was taken
	ended int    // parts of the refresh that had ended
	last  string // the last of them
}

// shaken is the shop that is killed.
type shaken struct {
	*weirtest.Project
	d     *weirtest.Destination
	r     *rand.Rand
	kills []kill
}

// refresh takes the shop through a round; calm is how long the other took.
func (s *shaken) refresh(t testing.TB, round, most int, calm time.Duration) {
	t.Helper()
	for len(s.kills) < most {
		if !s.once(t, round, calm) {
			break
		}
	}
	// What a kill left is finished; what was not delivered is sent again.
	for range 3 {
		if r := s.Weir(t, "run", "--now", at(round)); r.Code == weirtest.Done {
			break
		} else if r.Code != weirtest.Partial {
			t.Fatalf("a refresh after kills ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	s.Must(t, weirtest.Done, "run", "--now", at(round))
}

// once starts a refresh and kills it; false: it ended before.
func (s *shaken) once(t testing.TB, round int, calm time.Duration) bool {
	t.Helper()
	how, within := "at a moment", 2*time.Minute+10*calm
	hit := make(chan struct{}, 1)
	gone := make(chan struct{})
	hook := func(int) {
		select {
		case hit <- struct{}{}:
		default:
		}
		<-gone // this request is never answered
	}
	switch s.r.IntN(5) {
	case 0:
		how = "at a request, not taken"
		s.d.Before(hook)
	case 1:
		how = "at a request, taken and not answered"
		s.d.After(hook)
	default:
		within = time.Duration(s.r.Int64N(int64(calm)))
	}
	x := s.Start(t, "run", "--verbose", "--now", at(round))
	moment := time.NewTimer(within)
	defer moment.Stop()
	select {
	case <-x.Done():
	case <-moment.C:
	case <-hit:
	}
	late := x.Ended()
	x.Kill()
	close(gone)
	s.d.Before(nil)
	s.d.After(nil)
	_, log := x.Printed()
	if late {
		if code := x.Wait(t, time.Minute).Code; code != weirtest.Done && code != weirtest.Partial {
			t.Errorf("a refresh ended by itself with %d\n%s", code, log)
		}
		return false
	}
	k := kill{round: round, how: how}
	k.ended, k.last = partsEnded(log)
	s.kills = append(s.kills, k)
	t.Logf("kill %d: %s, after %s (%d parts)", len(s.kills), how, k.last, k.ended)
	return true
}

// partsEnded tells of a refresh's log how many of its parts had ended, and the last.
func partsEnded(log string) (n int, last string) {
	last = "nothing"
	for _, line := range strings.Split(log, "\n") {
		if strings.Contains(line, `msg="part ended"`) {
			_, part, _ := strings.Cut(line, " part=")
			part = strings.TrimPrefix(part, `"`)
			last = strings.FieldsFunc(part, func(r rune) bool { return r == ' ' || r == '"' })[0]
			n++
		}
	}
	return n, last
}
