package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/weir-cdp/weir/workflows"
)

// progress shows a refresh while it goes: one moving line on a terminal, a log
// line per finished part elsewhere.
type progress struct {
	a    *app
	tty  bool
	done map[string]bool
	told map[string]bool // troubles
	line int
}

func (a *app) newProgress() *progress {
	return &progress{a: a, tty: a.terminal(), done: map[string]bool{}, told: map[string]bool{}}
}

func (p *progress) show(s workflows.Snapshot) {
	var now []string
	for _, r := range s.Parts {
		name := strings.TrimSpace(string(r.Stage) + " " + r.Part)
		switch r.Outcome {
		case workflows.Waiting:
		case workflows.Running:
			now = append(now, name+step(r))
			p.trouble(name, r.Trouble)
		default:
			if !p.done[name] && !p.tty && !p.a.json {
				p.a.log.Info("part ended", "part", name, "outcome", r.Outcome, "rows_in", r.RowsIn, "rows_out", r.RowsOut)
			}
			p.done[name] = true
		}
	}
	if !p.tty || p.a.json {
		return
	}
	text := fmt.Sprintf("%d done; %s", len(p.done), strings.Join(now, ", "))
	if len(text) > 110 {
		text = text[:110]
	}
	p.a.sayf("\r%-*s", p.line, text)
	p.line = len(text)
}

// trouble says once of a part why it is tried again: a person may wait for a system
// that only they can start.
func (p *progress) trouble(name, why string) {
	key := name + ": " + why
	if why == "" || p.told[key] || p.a.json {
		return
	}
	p.told[key] = true
	if p.tty {
		p.end()
		p.line = 0
	}
	p.a.sayf("weir: %s is tried again: %s\n", name, why)
}

func (p *progress) end() {
	if p.tty && !p.a.json && p.line > 0 {
		p.a.sayf("\r%-*s\r", p.line, "")
	}
}

func step(r workflows.Report) string {
	if r.Progress == nil {
		return ""
	}
	if r.Progress.Note == waitsForRoom {
		return " (" + waitsForRoom + ")"
	}
	if r.Progress.Total > 0 {
		return fmt.Sprintf(" %d %%", 100*r.Progress.Done/r.Progress.Total)
	}
	return " " + count(r.Progress.Done) + " " + r.Progress.Unit
}

// summary tells what each part of a refresh did.
func (a *app) summary(s workflows.Snapshot) error {
	if a.json {
		return a.printJSON(s)
	}
	rows := make([][]string, 0, len(s.Parts))
	for _, r := range s.Parts {
		took := ""
		if !r.StartedAt.IsZero() && !r.EndedAt.IsZero() {
			took = r.EndedAt.Sub(r.StartedAt).Round(10 * time.Millisecond).String()
		}
		rows = append(rows, []string{string(r.Stage), r.Part, string(r.Outcome), count(r.RowsIn), count(r.RowsOut), took, notable(r, a.rules)})
	}
	a.table([]string{"STAGE", "PART", "OUTCOME", "ROWS IN", "ROWS OUT", "TOOK", "NOTABLE"}, rows)
	for _, r := range s.Parts {
		if p := r.Problem(); p != "" {
			a.sayf("weir: %s\n", p)
		}
	}
	if n := stillQuarantined(s); n > 0 {
		a.printf("still quarantined: %s of earlier runs (weir status)\n", count(n))
	}
	a.printf("run %s: %s in %s\n", s.Run.ID, s.Outcome, s.EndedAt.Sub(s.StartedAt).Round(10*time.Millisecond))
	return nil
}

// stillQuarantined counts what earlier runs told of already.
func stillQuarantined(s workflows.Snapshot) (n int64) {
	for _, r := range s.Parts {
		n += r.Counts["still_quarantined"]
	}
	return n
}
