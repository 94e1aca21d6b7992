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
	people                          string
	wanted, rounds                  int
	began                           time.Time
	calm, shaken                    []time.Duration // of each round
	kills                           []kill
	adds, updates, removes, repeats int
	failed                          bool
}

// write keeps the report where WEIR_CHAOS_DOC says.
func (r report) write(t testing.TB) {
	path := os.Getenv("WEIR_CHAOS_DOC")
	if path == "" {
		return
	}
	if err := os.WriteFile(path, []byte(r.text()), 0o644); err != nil {
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

Two shops of the same %s people change in the same way, round after round. One is refreshed in peace; the other is killed (SIGKILL), and started again at once, until a refresh ends by itself. After each round all tables but `+"`activation.deliveries`"+` (which tells of tries) and `+"`ops`"+` must be the same, both destinations must hold the same rows and must have taken as many additions, updates and removals: nothing lost, nothing taken twice.

Last run: %s, %d cores, %d of %d kills in %d rounds, %s; outcome: %s.

| killed | times |
|---|---:|
`, r.people, r.began.UTC().Format(time.DateOnly), runtime.NumCPU(), len(r.kills), r.wanted, r.rounds, time.Since(r.began).Round(time.Second), outcome)
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
	fmt.Fprintf(&b, "\nThe killed shop's destination took %d additions, %d updates and %d removals; %d more rows came again under an idempotency key that it had seen.\n",
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
