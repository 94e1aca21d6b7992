package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
)

// opened loads the project, opens its parts, lets f work with them and closes
// them: the frame of every command that looks into a project.
func (a *app) opened(cmd *cobra.Command, f func(ctx context.Context, pl *platform) error) error {
	p, err := a.load()
	if err != nil {
		return err
	}
	pl, err := a.open(cmd.Context(), p, cmd.CommandPath(), false)
	if err != nil {
		return err
	}
	defer pl.close()
	return f(cmd.Context(), pl)
}

// group is a command that only holds others.
func group(use, short, example string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Example: example}
	c.AddCommand(subs...)
	return c
}

// when writes a moment for a person; nothing for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// ago writes a span for a person: its two largest units at most.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return d.Round(time.Minute).String()
	}
	return count(int64(d/(24*time.Hour))) + " days"
}

// moment reads a flag's time, as exact as the tables have it: RFC 3339, or a date for
// its midnight in UTC; "" is now.
func moment(flag, text string) (time.Time, error) {
	at := time.Now()
	if text != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			at, err = time.Parse(time.DateOnly, text)
		}
		if err != nil {
			return at, weir.Errorf(weir.Invalid, "--%s %q is no time", flag, text).Then("write it like 2026-01-31T12:00:00Z, or 2026-01-31 for that day's midnight in UTC")
		}
	}
	return at.UTC().Truncate(time.Microsecond), nil
}

// yes writes a truth for a person.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
