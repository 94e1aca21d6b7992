package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/examples/shop"
	"github.com/weir-cdp/weir/project"
)

// version is set when a release is built.
var version = unreleased

const unreleased = "dev"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "The version of this program", Example: "  weir version", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		v := built()
		if a.json {
			return a.printJSON(v)
		}
		a.printf("%s\n", versionLine(v))
		return nil
	}}
}

// built is what is known of how this program was built.
func built() map[string]string {
	v := map[string]string{"version": version, "go": "", "revision": ""}
	if info, ok := debug.ReadBuildInfo(); ok {
		v["go"] = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v["revision"] = s.Value
			}
		}
	}
	return v
}

// versionLine says which program this is, in one line.
func versionLine(v map[string]string) string {
	line := "weir " + v["version"]
	if v["version"] == unreleased {
		line = "weir, a development build"
		if r := v["revision"]; r != "" {
			line += fmt.Sprintf(" of revision %.12s", r)
		}
	}
	return line + ", built with " + v["go"]
}

func (a *app) initCommand() *cobra.Command {
	var example string
	var people int
	var seed uint64
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Write a project directory to start from",
		Long: `Writes a project's files into DIR. Nothing is overwritten: where one of them is
there already, nothing is written. A .gitignore gets the lines that it lacks.`,
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
				err = writeShop(dir, shop.Config{People: people, Seed: seed})
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
				a.printf("its e-mail tool is a program, in a second terminal: weir example receiver; without it a run tries for a minute, and ends with 3\n")
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
	text := strings.Replace(starterWeir, "name: mine                    #", fmt.Sprintf("name: %-23s #", project.WorkspaceName(filepath.Base(dir))), 1)
	files := map[string][]byte{"weir.yaml": []byte(text), "identity.yaml": []byte(starterIdentity), ".gitignore": []byte(gitIgnore)}
	return project.Create(dir, slices.Sorted(maps.Keys(files)), func(name string, w io.Writer) error {
		_, err := w.Write(files[name])
		return err
	}, "sources", "segments", "traits", "destinations", "activations")
}

func writeShop(dir string, c shop.Config) error {
	g := shop.New(c)
	return project.Create(dir, append(g.Names(), ".gitignore"), func(name string, w io.Writer) error {
		if name == ".gitignore" {
			_, err := io.WriteString(w, gitIgnore)
			return err
		}
		return g.File(name, w)
	})
}

const gitIgnore = ".weir/\nout/\n"

const starterIdentity = `# Who is who: sharing an identifier's value is evidence, within these limits.
person:
  identifiers:
    email: {limit: 5, shared_by: 10}
  survivorship:
    default: [latest]
`
