package chaos

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// report is what docs/chaos.md tells of a run.
type report struct {
	story                           string // what is done, of how many people
	doc                             string // the file to write; "": none
	people                          string
	wanted, rounds                  int
	began                           time.Time
	calm, shaken                    []time.Duration // of each round
	kills                           []kill
	adds, updates, removes, repeats int
	failed                          bool
}

// write keeps the report in its file.
func (r report) write(t testing.TB) {
	if r.doc == "" {
		return
	}
	if err := os.WriteFile(r.doc, []byte(r.text()), 0o644); err != nil {
		t.Error(err)
	}
}

func (r report) text() string {
	var b strings.Builder
	outcome := "all held"
	if r.failed {
		outcome = "**failed**: see the output of the command"
	}
	fmt.Fprintf(&b, `# Chaos

<!-- Made by make chaos; edit test/chaos, not this file. -->

%s

Last run: %s, %d cores, %d of %d kills in %d rounds, %s; outcome: %s.

| killed | times |
|---|---:|
`, fmt.Sprintf(r.story, r.people), r.began.UTC().Format(time.DateOnly), runtime.NumCPU(), len(r.kills), r.wanted, r.rounds, time.Since(r.began).Round(time.Second), outcome)
	r.table(&b, func(k kill) string { return k.how })
	b.WriteString("\n| the last part that had ended | kills |\n|---|---:|\n")
	r.table(&b, func(k kill) string { return k.last })
	b.WriteString("\n| round | kills | in peace | with kills |\n|---:|---:|---:|---:|\n")
	for i := range r.shaken {
		n := 0
		for _, k := range r.kills {
			if k.round == i {
				n++
			}
		}
		fmt.Fprintf(&b, "| %d | %d | %s | %s |\n", i+1, n, r.calm[i].Round(time.Second/10), r.shaken[i].Round(time.Second/10))
	}
	fmt.Fprintf(&b, "\nThe disturbed shop's destination took %d additions, %d updates and %d removals; %d more rows came again under an idempotency key that it had seen.\n",
		r.adds, r.updates, r.removes, r.repeats)
	return b.String()
}

func (r report) table(b *strings.Builder, by func(kill) string) {
	counts := map[string]int{}
	for _, k := range r.kills {
		counts[by(k)]++
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(b, "| %s | %d |\n", name, counts[name])
	}
}
