package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// The exit codes of every command.
const (
	exitDone    = 0
	exitFailed  = 1
	exitInvalid = 2 // wrong use, or an invalid project
	exitPartial = 3 // done, but something was newly quarantined or not delivered
)

// app is what every command shares.
type app struct {
	dir     string // the project, absolute once setup has run
	json    bool
	verbose bool
	in      io.Reader
	out     io.Writer
	errw    io.Writer
	log     *slog.Logger
	rules   []policies.Rule // of the policy that was looked at before a run
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	a := &app{in: in, out: out, errw: errw}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	err := root.ExecuteContext(ctx)
	a.report(err)
	return exitCode(err)
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case weir.CodeOf(err) == weir.Partial:
		return exitPartial
	case weir.CodeOf(err) == weir.Invalid:
		return exitInvalid
	}
	return exitFailed
}

// report tells of an error: for people on standard error, with --json also as
// one value on standard output if nothing else was printed.
func (a *app) report(err error) {
	if err == nil {
		return
	}
	var said *told
	if errors.As(err, &said) {
		return
	}
	if a.json {
		e := map[string]any{"code": weir.CodeOf(err), "message": err.Error()}
		var problems project.Problems
		if errors.As(err, &problems) {
			e["problems"] = problems
		}
		_ = a.printJSON(map[string]any{"error": e})
	}
	a.sayf("weir: %v\n", err)
}

// told wraps an error that the command has already told of.
type told struct{ error }

func (t *told) Unwrap() error { return t.error }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "Collect customer data, recognise who is who, and send it on where law and consent allow",
		Long: `Weir collects customer data from every system, recognises who is who, keeps one
profile of each person and company, computes segments, and sends them to the
tools that act: only where law and consent allow it, provably.

Start here:
  weir init try --example shop     a project with a generated shop
  weir run --project try           all stages, once; --now for its own time
  weir query --project try "select * from core.profiles limit 5"`,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.setup() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.Version = versionLine(built()) // for --version
	root.SetVersionTemplate("{{.Version}}\n")
	f := root.PersistentFlags()
	f.StringVar(&a.dir, "project", ".", "the project's directory")
	f.BoolVar(&a.json, "json", false, "print one JSON value on standard output")
	f.BoolVar(&a.verbose, "verbose", false, "log what the parts do, on standard error")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return weir.Errorf(weir.Invalid, "%w", err).Then("see: " + c.CommandPath() + " --help")
	})
	for _, c := range a.commands() {
		root.AddCommand(c)
	}
	refuseWrongUse(root)
	return root
}

// refuseWrongUse makes wrong arguments and unknown subcommands Invalid.
func refuseWrongUse(c *cobra.Command) {
	if args := c.Args; args != nil {
		c.Args = func(cmd *cobra.Command, a []string) error {
			if err := args(cmd, a); err != nil {
				return wrongArguments(cmd, a, err)
			}
			return nil
		}
	}
	if c.HasSubCommands() && c.Run == nil && c.RunE == nil {
		c.Args = cobra.ArbitraryArgs
		c.SuggestionsMinimumDistance = 2
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			next := "see: " + cmd.CommandPath() + " --help"
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				next = "did you mean " + cmd.CommandPath() + " " + strings.Join(near, " or ") + "?"
			}
			return weir.Errorf(weir.Invalid, "unknown command %q", cmd.CommandPath()+" "+args[0]).Then(next)
		}
	}
	for _, sub := range c.Commands() {
		refuseWrongUse(sub)
	}
}

func (a *app) setup() error {
	dir, err := filepath.Abs(a.dir)
	if err != nil {
		return weir.Errorf(weir.Invalid, "the project's directory: %w", err)
	}
	a.dir = dir
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelInfo
	}
	a.log = slog.New(slog.NewTextHandler(a.errw, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(a.log)
	return nil
}

// load reads the project, or tells all that is wrong with it.
func (a *app) load() (*project.Project, error) { return project.Load(a.dir, systems()) }

// asks tells whether a person can answer.
func (a *app) asks() bool {
	f, ok := a.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminal tells whether progress is watched by a person.
func (a *app) terminal() bool {
	f, ok := a.errw.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
