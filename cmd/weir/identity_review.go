package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) identityReview() *cobra.Command {
	var kind, by string
	var limit int
	c := &cobra.Command{
		Use: "review", Short: "Answer whether uncertain pairs are the same: the model learns from it",
		Long: `Shows pairs of records of which the model is least sure, of many kinds of agreement,
side by side, and asks: y (the same), n (different), s (skip), u (undo the last
answer), q (quit). Each answer is on the disk before the next question, in
` + project.LabelsFile + ` of the project: record ids and answers, no values; keep it
in git. "weir identity train" learns from them. Without a terminal, answers are read
from standard input, a line each; --json lists the pairs and asks nothing.`,
		Example: "  weir identity review\n  weir identity review --limit 50 --kind account\n  yes s | weir identity review --limit 3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return weir.Errorf(weir.Invalid, "--limit is at least 1").Then("weir identity review --limit 20")
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				r, err := pl.house.ReviewPairs(ctx, pl.project, weir.Kind(kind), limit)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				s := reviewing{a: a, pairs: r.Pairs, author: author(by), colour: a.colours()}
				if r.Gone > 0 {
					a.sayf("weir: %s about records that are no longer there\n", several(r.Gone, "answer"))
				}
				return s.ask(ctx)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&kind, "kind", "", "person or account; default: all that have a model")
	f.StringVar(&by, "author", "", "who answers; default: WEIR_AUTHOR, or who you are to this machine")
	f.IntVar(&limit, "limit", 20, "how many pairs")
	return c
}

// colours tells whether results go to a terminal that shows them.
func (a *app) colours() bool {
	f, ok := a.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}

// reviewing is one session of questions.
type reviewing struct {
	a      *app
	pairs  []stages.ReviewPair
	author string
	colour bool
	given  []int // pairs answered, the last last
	same   map[int]bool
}

// ask shows pair after pair until all are answered, or the person stops.
func (s *reviewing) ask(ctx context.Context) error {
	if len(s.pairs) == 0 {
		s.a.printf("no uncertain pair is left; the next run of resolve finds others\n")
		return nil
	}
	s.same = map[int]bool{}
	in := bufio.NewScanner(s.a.in)
	for i := 0; i < len(s.pairs) && ctx.Err() == nil; {
		s.show(i)
		answer, err := s.answer(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch answer {
		case "y", "n":
			if err := s.record(i, map[string]string{"y": project.Same, "n": project.Different}[answer]); err != nil {
				return err
			}
			s.given, s.same[i] = append(s.given, i), answer == "y"
			i++
		case "s":
			i++
		case "u":
			if len(s.given) == 0 {
				s.a.printf("nothing to undo\n")
				continue
			}
			i = s.given[len(s.given)-1]
			s.given = s.given[:len(s.given)-1]
			if err := s.record(i, project.Withdrawn); err != nil {
				return err
			}
		case "q":
			s.end()
			return nil
		}
	}
	s.end()
	return ctx.Err()
}

func (s *reviewing) record(i int, answer string) error {
	return project.AddLabels(s.a.dir, project.Label{Left: s.pairs[i].Left, Right: s.pairs[i].Right, Answer: answer, Author: s.author, At: time.Now().UTC().Truncate(time.Second)})
}

// answer reads one of the letters; what is none is asked again.
func (s *reviewing) answer(in *bufio.Scanner) (string, error) {
	for {
		s.a.printf("the same? [y]es [n]o [s]kip [u]ndo [q]uit: ")
		if !in.Scan() {
			s.a.printf("\n")
			if in.Err() != nil {
				return "", weir.Errorf(weir.Unavailable, "read an answer: %w", in.Err())
			}
			return "", io.EOF
		}
		text := strings.ToLower(strings.TrimSpace(in.Text()))
		for _, word := range []string{"yes", "no", "skip", "undo", "quit"} {
			if text == word || text == word[:1] {
				return word[:1], nil
			}
		}
		s.a.sayf("weir: %q is none of y, n, s, u, q\n", text)
	}
}

func (s *reviewing) end() {
	same := 0
	for _, i := range s.given {
		if s.same[i] {
			same++
		}
	}
	s.a.printf("%s: %d the same, %d different", several(len(s.given), "answer"), same, len(s.given)-same)
	if len(s.given) > 0 {
		s.a.printf("; in %s, next: weir identity train", project.LabelsFile)
	}
	s.a.printf("\n")
}

// show puts both records beside each other; a star marks what differs.
func (s *reviewing) show(i int) {
	p := s.pairs[i]
	linked := "in two profiles now"
	if p.Linked {
		linked = "in one profile now"
	}
	s.a.printf("\n%d of %d: the model gives it %.1f %% (%+.1f bits, %+.1f from the threshold), %s\n", i+1, len(s.pairs), 100*p.Probability, p.Weight, p.Off, linked)
	const widest = 40
	cells := [][]string{{" ", "", p.Left, p.Right, ""}}
	for _, f := range p.Fields {
		mark, says := " ", ""
		if !f.Same && f.Left != "" && f.Right != "" {
			mark = "*"
		}
		if f.Weight != nil {
			says = fmt.Sprintf("%s %+.1f", f.Level, *f.Weight)
		}
		cells = append(cells, []string{mark, f.Name, shortened(cell(f.Left), widest), shortened(cell(f.Right), widest), says})
	}
	widths := make([]int, 5)
	for _, row := range cells {
		for k, c := range row {
			widths[k] = max(widths[k], len([]rune(c)))
		}
	}
	for _, row := range cells {
		line := ""
		for k, c := range row {
			padded := c + strings.Repeat(" ", widths[k]-len([]rune(c)))
			if s.colour && row[0] == "*" && (k == 2 || k == 3) {
				padded = "\x1b[33m" + padded + "\x1b[0m"
			}
			line += padded + "  "
		}
		s.a.printf("%s\n", strings.TrimRight(line, " "))
	}
}

func shortened(text string, most int) string {
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most-1]) + "…"
}
