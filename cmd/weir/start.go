package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/examples/shop"
)

// version is set when a release is built.
var version = "dev"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "The version of this program", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		v := map[string]string{"version": version, "go": "", "revision": ""}
		if info, ok := debug.ReadBuildInfo(); ok {
			v["go"] = info.GoVersion
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					v["revision"] = s.Value
				}
			}
		}
		if a.json {
			return a.printJSON(v)
		}
		a.printf("weir %s (%s)\n", v["version"], v["go"])
		return nil
	}}
}

func (a *app) initCommand() *cobra.Command {
	var example string
	var people int
	var seed uint64
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Write a project directory to start from",
		Example: `  weir init mine                      a project with commented files
  weir init try --example shop        a generated shop with four systems
  weir init big --example shop --people 100000`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return weir.Errorf(weir.Invalid, "%w", err)
			}
			asOf := ""
			switch example {
			case "shop":
				err = shop.Write(dir, shop.Config{People: people, Seed: seed})
				asOf = " --now " + shop.Now().Format(time.RFC3339)
			case "":
				err = writeStarter(dir)
			default:
				err = weir.Errorf(weir.Invalid, "there is no example %q", example).Then("--example shop")
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"project": dir})
			}
			a.printf("wrote a project in %s; next: weir doctor --project %s, then weir run --project %s%s\n", args[0], args[0], args[0], asOf)
			if asOf != "" {
				a.printf("the shop's data ends %s: without --now, windows and consents are judged as of today, and it ages\n", shop.Now().Format(time.DateOnly))
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&example, "example", "", "an example with its data: shop")
	f.IntVar(&people, "people", 10_000, "how many people the example has")
	f.Uint64Var(&seed, "seed", 1, "another seed makes another example")
	return c
}

// starterWeir and starterIdentity are an empty project's files.
const starterWeir = `name: mine                    # the workspace: small letters, digits and _
timezone: UTC
default_region: FR            # for phone numbers and dates that name no country
currency: EUR
lake: {}                      # empty: embedded, in .weir
temporal: {}
subject:
  jurisdiction: [consent.jurisdiction]
`

func writeStarter(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "weir.yaml")); err == nil {
		return weir.Errorf(weir.Conflict, "there is a project here already").At(dir).Then("name another directory")
	}
	for _, folder := range []string{"sources", "segments", "traits", "destinations", "activations"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return weir.Errorf(weir.Invalid, "write the project: %w", err)
		}
	}
	files := map[string]string{"weir.yaml": starterWeir, "identity.yaml": starterIdentity, ".gitignore": ".weir/\nout/\n"}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return weir.Errorf(weir.Invalid, "write the project: %w", err)
		}
	}
	return nil
}

const starterIdentity = `# Who is who: sharing an identifier's value is evidence, within these limits.
person:
  identifiers:
    email: {limit: 5, shared_by: 10}
  survivorship:
    default: [latest]
`
