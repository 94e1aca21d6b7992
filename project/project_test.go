package project

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// known stands for real systems: one of each kind of settings.
var known = map[string]connectors.Connector{
	"files": {Name: "files", Config: []connectors.Field{{Name: "path", Type: connectors.String, Required: true}},
		Stream: []connectors.Field{{Name: "path", Type: connectors.String, Required: true}, {Name: "delimiter", Type: connectors.String}}, OpenSource: noSource, OpenDestination: noDestination},
	"webhook": {Name: "webhook", Config: []connectors.Field{{Name: "url", Type: connectors.String, Required: true}, {Name: "batch", Type: connectors.Int}}, OpenDestination: noDestination},
}

var good = map[string]string{
	"weir.yaml": `
name: shop
timezone: Europe/Paris
default_region: FR
currency: EUR
lake: {}
subject:
  jurisdiction: [attribute.country, consent.jurisdiction]
  birth_date: [attribute.birth_date]
`,
	"sources/crm.yaml": `
connector: files
config: {path: data}
schedule: every 15m
streams:
  contacts:
    path: crm.csv
    delimiter: ";"
    key: [email]
    as: person
    map:
      identifiers: {crm_id: id, email: email}
      attributes: {given_name: first, country: "'FR'", birth_date: dob, diagnosis: diag}
      observed_at: updated
  orders:
    path: orders.csv
    types: {quantity: int, price: "decimal(12,2)"}
    key: [invoice, line]
    as: event
    map: {name: "'Order Completed'", occurred_at: at, identifiers: {crm_id: customer}, properties: {revenue: quantity * price}}
`,
	"identity.yaml": `
person:
  identifiers:
    crm_id: {limit: 1, hard: true}
    email: {limit: 5, shared_by: 10, blocked: ["^no-?reply@"], link: false}
  rules:
    - {name: name_and_birth, match: [given_name, birth_date]}
  survivorship:
    default: [latest]
    email: [source(crm), latest]
    groups: {who: [given_name, birth_date]}
  categories: {diagnosis: health}
`,
	"traits/lifetime_value.yaml": `
of: person
compute: {sum: properties.revenue, event: Order Completed, within: 365d}
`,
	"segments/sick.yaml": `
of: person
where:
  all:
    - {trait: lifetime_value, at_least: 500}
    - {attribute: diagnosis, exists: true}
    - {event: Order Completed, within: 30d, count: {at_least: 3}, where: {category: shoes}}
    - none: [{event: Order Refunded}]
`,
	"destinations/news.yaml": `
connector: webhook
config: {url: "${env:ESP_URL}", batch: "${env:BATCH}"}
privacy: {role: processor, kind: ads_match, transfer: none, country: FR, dpa: true, purposes: [marketing.newsletter]}
`,
	"activations/sick.yaml": `
segment: sick
destination: news
purpose: marketing.newsletter
channel: email
mode: mirror
key: email
fields: {name: given_name, ltv: trait.lifetime_value}
`,
}

// accounts gives the good project an account section.
func accounts(people string) map[string]string {
	return map[string]string{"identity.yaml": good["identity.yaml"] + "account:\n  identifiers: {siren: {limit: 1}}\n  people: " + people + "\n"}
}

// write makes a project of the good files with some replaced ("" removes one).
func write(t *testing.T, change map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, files := range []map[string]string{good, change} {
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if text == "" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	t.Parallel()
	p, err := Load(write(t, nil), known)
	if err != nil {
		t.Fatal(err)
	}
	crm, _ := p.Source("crm")
	contacts, _ := crm.Stream("contacts")
	orders, _ := crm.Stream("orders")
	a, _ := p.Activation("sick")
	d, _ := p.Destination("news")
	s, _ := p.Segment("sick")
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"schedule", crm.Schedule, Schedule{Every: 15 * time.Minute}},
		{"settings", contacts.Settings, map[string]any{"path": "crm.csv", "delimiter": ";"}},
		{"an e-mail in the key is personal", contacts.Mapping.PersonalKey, []string{"email"}},
		{"identifiers are attributes too", contacts.Mapping.Attributes["crm_id"], "id"},
		{"events have no attributes", orders.Mapping.Attributes, map[string]string(nil)},
		{"types", orders.Types, map[string]string{"quantity": "int", "price": "decimal(12,2)"}},
		{"identifier order", p.IdentifierKinds(), []string{"crm_id", "email"}},
		{"link: false", p.Identity[0].Identifiers["email"].NoLink, true},
		{"categories are the union of what is read and sent", a.Categories, []string{"health"}},
		{"uploading a list for matching is sharing", d.Privacy.Transfer, "share"},
		{"event condition", s.Where.All[2].Within, 30 * 24 * time.Hour},
		{"short property condition", s.Where.All[2].Where["category"], []weir.Comparison{{Op: "is", Values: []string{"shoes"}}}},
		{"trait window", p.Traits[0].Within, 365 * 24 * time.Hour},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.what, diff)
		}
	}
}

func TestDigestFollowsDefinitionsOnly(t *testing.T) {
	t.Parallel()
	load := func(change map[string]string) string {
		p, err := Load(write(t, change), known)
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	base := load(nil)
	if load(map[string]string{"traits/lifetime_value.yaml": good["traits/lifetime_value.yaml"] + "# a comment\n"}) != base {
		// the comment moves no line that a definition records
		t.Error("a comment changed the digest")
	}
	if load(map[string]string{"traits/lifetime_value.yaml": strings.Replace(good["traits/lifetime_value.yaml"], "365d", "90d", 1)}) == base {
		t.Error("another window kept the digest")
	}
}

// An identifier may be declared before a source maps it, as a new project does.
func TestIdentifierBeforeItsSource(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"identity.yaml": strings.Replace(good["identity.yaml"], "    email:", "    loyalty_card: {limit: 1}\n    email:", 1)})
	if _, err := Load(dir, known); err != nil {
		t.Error(err)
	}
}

// TestProblems: every mistake is told with its place and, where there is one,
// the way out.
func TestProblems(t *testing.T) {
	t.Parallel()
	edit := func(file, old, new string) map[string]string {
		if !strings.Contains(good[file], old) {
			t.Fatalf("%s has no %q", file, old)
		}
		return map[string]string{file: strings.Replace(good[file], old, new, 1)}
	}
	for name, c := range map[string]struct {
		change map[string]string
		want   string // part of a problem
	}{
		"unknown key":              {edit("weir.yaml", "timezone:", "timezoen:"), `weir.yaml:3:1: unknown key "timezoen"; did you mean "timezone"?`},
		"unknown time zone":        {edit("weir.yaml", "Europe/Paris", "Europe/Pariss"), `weir.yaml:3:11: unknown time zone`},
		"duplicate key":            {edit("weir.yaml", "currency: EUR", "currency: EUR\ncurrency: USD"), `weir.yaml:6:1: key "currency" appears twice`},
		"broken yaml":              {map[string]string{"weir.yaml": "name: [shop"}, `invalid YAML`},
		"alias bomb":               {map[string]string{"weir.yaml": "name: shop\nlake: &a {}\ntemporal: *a\n"}, `anchors and aliases are not understood`},
		"two documents":            {edit("traits/lifetime_value.yaml", "of: person", "of: person\n---\nof: person"), `a second YAML document`},
		"plain API key":            {edit("weir.yaml", "lake: {}", "lake: {}\ntemporal: {address: \"t:7233\", api_key: hush}"), `temporal.api_key must be a reference`},
		"plain secret":             {edit("weir.yaml", "lake: {}", "lake: {endpoint: \"http://x\", bucket: b, secret_key: hush}"), `lake.secret_key must be a reference`},
		"a password for Flink":     {edit("weir.yaml", "lake: {}", "lake: {endpoint: \"http://x\", bucket: b}\nrunner: {type: flink, job_service: \"x:8099\", rest: \"http://me:hush@x:8081\"}"), `runner.rest holds a user or a password`},
		"signers":                  {edit("weir.yaml", "lake: {}", "signers: [k]"), `expected`},
		"one signer":               {edit("weir.yaml", "lake: {}", "signers: [{name: Ada, key: \"ed25519:w7Yx5fyYqjBfXvK5zd4dM2Nf0Hn0nM3gk1yqQv3lS0I=\"}]"), `needs the signatures of 2 people`},
		"a private key as signer":  {edit("weir.yaml", "lake: {}", "signers: [{name: Ada, key: MC4CAQ}, {name: Ben, key: \"ed25519:w7Yx5fyYqjBfXvK5zd4dM2Nf0Hn0nM3gk1yqQv3lS0I=\"}]"), `the key of Ada is not a public key`},
		"unknown connector":        {edit("sources/crm.yaml", "connector: files", "connector: fiels"), `unknown connector "fiels"; did you mean "files"?`},
		"not a source":             {edit("sources/crm.yaml", "connector: files", "connector: webhook"), `webhook can't be read from`},
		"missing setting":          {edit("sources/crm.yaml", "config: {path: data}", "config: {}"), `path`},
		"unknown setting":          {edit("sources/crm.yaml", "delimiter:", "delimitter:"), `sources/crm.yaml:8:5: unknown key "delimitter"; did you mean "delimiter"?`},
		"schedule":                 {edit("sources/crm.yaml", "every 15m", "sometimes"), `a schedule that can't be read`},
		"too frequent":             {edit("sources/crm.yaml", "every 15m", "every 1s"), `less than ten seconds`},
		"no key":                   {edit("sources/crm.yaml", "key: [email]", "key: []"), `stream contacts has no key`},
		"as":                       {edit("sources/crm.yaml", "as: person", "as: persona"), `did you mean "person"?`},
		"required field":           {edit("sources/crm.yaml", "occurred_at: at, ", ""), `a map of event needs occurred_at`},
		"type of column":           {edit("sources/crm.yaml", "quantity: int", "quantity: number"), `unknown type "number" of column quantity`},
		"reserved attribute":       {edit("sources/crm.yaml", "given_name: first", "kind: first"), `attribute "kind" is a column of every profile`},
		"hard without limit":       {edit("identity.yaml", "limit: 1, hard: true", "hard: true"), `hard says nothing without a limit`},
		"blocked expression":       {edit("identity.yaml", "^no-?reply@", "("), `is no regular expression`},
		"rule on nothing":          {edit("identity.yaml", "[given_name, birth_date]}\n  surv", "[given_nam]}\n  surv"), `rule name_and_birth matches on "given_nam", which no source maps; did you mean "given_name"?`},
		"survivorship rule":        {edit("identity.yaml", "default: [latest]", "default: [newest]"), `unknown survivorship rule "newest"`},
		"survivorship source":      {edit("identity.yaml", "source(crm)", "source(cmr)"), `names no source; did you mean "crm"?`},
		"people of persons":        {edit("identity.yaml", "  categories", "  people: none\n  categories"), `identity.yaml:12:11: people says who belongs to an account`},
		"people by nothing":        {accounts("{by: [siret]}"), `identity.yaml:15:16: people are linked by "siret", which is no identifier of the account section; did you mean "siren"?`},
		"people by a domain":       {accounts("{by: [email_domain]}"), `accounts have no domain`},
		"people twice":             {accounts("{by: [siren, siren]}"), `people are linked by siren twice`},
		"free mail":                {accounts("{free_mail: [\"@gmx.de\"]}"), `free_mail "@gmx.de" is no domain`},
		"people key":               {accounts("{freemail: [gmx.de]}"), `unknown key "freemail"; did you mean "free_mail"?`},
		"people mode":              {accounts("all"), `unknown people "all"`},
		"model":                    {edit("identity.yaml", "  categories", "  model: aut\n  categories"), `unknown model "aut"`},
		"model comparison":         {edit("identity.yaml", "  categories", "  model: {compare: {given_name: nam}}\n  categories"), `unknown comparison "nam" of given_name; did you mean "name"?`},
		"model of other records":   {map[string]string{"identity.yaml": good["identity.yaml"] + "account:\n  model: {compare: {given_name: name}}\n"}, `identity.yaml:14:21: the model compares "given_name", which no stream with as: account maps`},
		"rule of other records":    {map[string]string{"identity.yaml": good["identity.yaml"] + "account:\n  rules:\n    - {name: a, match: [email]}\n"}, `identity.yaml:15:7: rule a matches on "email", which no stream with as: account maps`},
		"unknown identifier":       {edit("identity.yaml", "    email:", "    emial:"), `identity.yaml:5:5: person: has the identifier "emial", which no source maps; did you mean "email"?`},
		"blocked is everything":    {edit("identity.yaml", `"^no-?reply@"`, `"x*"`), `identity.yaml:5:12: blocked "x*" fits every value`},
		"blocked is too much":      {edit("identity.yaml", `"^no-?reply@"`, `"((a{900}){900}){900}"`), `is no regular expression`},
		"rule named as evidence":   {edit("identity.yaml", "name: name_and_birth", "name: same_email"), `identity.yaml:7:7: rule same_email has the name of the evidence of the identifier email`},
		"rule named as the model":  {edit("identity.yaml", "name: name_and_birth", "name: model"), `rule model has the name of the evidence of the model's scores`},
		"too many blocking rules":  {edit("identity.yaml", "  categories", "  model: {block: ["+strings.Repeat("[given_name], ", 257)+"]}\n  categories"), `257 blocking rules, at most 256`},
		"model on nothing":         {edit("identity.yaml", "  categories", "  model: {compare: {given_nam: name}}\n  categories"), `the model compares "given_nam", which no source maps; did you mean "given_name"?`},
		"blocking on nothing":      {edit("identity.yaml", "  categories", "  model: {block: [[birth_dat:year]]}\n  categories"), `a blocking rule uses "birth_dat", which no source maps; did you mean "birth_date"?`},
		"blocking transform":       {edit("identity.yaml", "  categories", "  model: {block: [[birth_date:yaer]]}\n  categories"), `unknown transform "yaer" of birth_date; did you mean "year"?`},
		"model threshold":          {edit("identity.yaml", "  categories", "  model: {threshold: 95}\n  categories"), `no number between 0 and 1`},
		"unknown operator":         {edit("segments/sick.yaml", "at_least: 500", "atleast: 500"), `unknown key "atleast"; did you mean "at_least"?`},
		"unknown trait":            {edit("segments/sick.yaml", "lifetime_value", "lifetime_valu"), `there is no trait "lifetime_valu"; did you mean "lifetime_value"?`},
		"unknown attribute":        {edit("segments/sick.yaml", "diagnosis", "diagnose"), `no source maps an attribute "diagnose"; did you mean "diagnosis"?`},
		"window of nothing":        {edit("segments/sick.yaml", "within: 30d", "within: 0d"), `no time at all`},
		"window of ages":           {edit("segments/sick.yaml", "within: 30d", "within: 3660000d"), `longer than a hundred years`},
		"two kinds of condition":   {edit("segments/sick.yaml", "{attribute: diagnosis,", "{attribute: diagnosis, trait: lifetime_value,"), `exactly one of`},
		"nothing to compare":       {edit("segments/sick.yaml", ", at_least: 500", ""), `nothing to compare with`},
		"deep nesting":             {map[string]string{"segments/sick.yaml": "where: " + strings.Repeat("{all: [", 60) + "{event: x}" + strings.Repeat("]}", 60)}, `nested more than 50 deep`},
		"trait of nothing":         {edit("traits/lifetime_value.yaml", "sum: properties.revenue, ", ""), `nothing to compute`},
		"two aggregates":           {edit("traits/lifetime_value.yaml", "sum: properties.revenue,", "sum: properties.revenue, avg: properties.revenue,"), `both sum and avg`},
		"unknown segment":          {edit("activations/sick.yaml", "segment: sick", "segment: sik"), `there is no segment "sik"; did you mean "sick"?`},
		"unknown destination":      {edit("activations/sick.yaml", "destination: news", "destination: newz"), `there is no destination "newz"; did you mean "news"?`},
		"unknown field":            {edit("activations/sick.yaml", "name: given_name", "name: given_nam"), `field name sends "given_nam"`},
		"no purpose":               {edit("activations/sick.yaml", "purpose: marketing.newsletter", ""), `activation sick has no purpose`},
		"mode":                     {edit("activations/sick.yaml", "mode: mirror", "mode: miror"), `did you mean "mirror"?`},
		"append of the revocable":  {edit("activations/sick.yaml", "mode: mirror", "mode: append"), `append can't remove`},
		"no privacy":               {edit("destinations/news.yaml", "privacy:", "#"), `does not say what the law asks of it`},
		"subject":                  {edit("weir.yaml", "attribute.birth_date", "attribute.born"), `subject.birth_date names attribute "born"`},
		"subject from no trait":    {edit("weir.yaml", "birth_date: [attribute.birth_date]", "customer: [trait.nothing]"), `subject.customer names trait "nothing"`},
		"subject misspelt":         {edit("weir.yaml", "birth_date: [attribute.birth_date]", "custmer: [attribute.x]"), `custmer`},
		"file name":                {map[string]string{"segments/Big One.yaml": "x: 1"}, `the file's name names the thing`},
		"not yaml":                 {map[string]string{"segments/old.txt": "x"}, `not a YAML file`},
		"no name":                  {edit("weir.yaml", "name: shop", ""), `the workspace has no name`},
		"operator takes two":       {edit("segments/sick.yaml", "at_least: 500", "between: [1]"), `between takes 2 value(s), found 1`},
		"empty list of conditions": {edit("segments/sick.yaml", "none: [{event: Order Refunded}]", "none: []"), `an empty list of conditions`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(write(t, c.change), known)
			var ps Problems
			if !errors.As(err, &ps) || weir.CodeOf(err) != weir.Invalid {
				t.Fatalf("no problems told: %v", err)
			}
			if !slices.ContainsFunc(ps, func(p Problem) bool { return strings.Contains(p.String(), c.want) }) {
				t.Errorf("want %q among\n%v", c.want, ps)
			}
			if n := strings.Count(err.Error(), ps.Error()); n != 1 {
				t.Errorf("the problems are told %d times:\n%v", n, err)
			}
		})
	}
}

// TestOneSlipIsOneProblem: what follows from a slip of the pen alone is not told.
func TestOneSlipIsOneProblem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, old, new, want string }{
		"what rows are": {"sources/crm.yaml", "as: person", "as: persn", `unknown value "persn"; did you mean "person"?`},
		"nobody's word": {"activations/sick.yaml", "mode: mirror", "mode: x", `unknown value "x"; known: mirror, upsert, append`},
		"mode":          {"activations/sick.yaml", "mode: mirror", "mode: miror", `unknown value "miror"; did you mean "mirror"?`},
		"connector":     {"sources/crm.yaml", "connector: files", "connector: file", `unknown connector "file"; did you mean "files"?`},
		"setting":       {"sources/crm.yaml", "config: {path: data}", "config: {pth: data}", `unknown key "pth"; did you mean path?`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(good[c.file], c.old) {
				t.Fatalf("%s has no %q", c.file, c.old)
			}
			_, err := Load(write(t, map[string]string{c.file: strings.Replace(good[c.file], c.old, c.new, 1)}), known)
			var ps Problems
			if !errors.As(err, &ps) || len(ps) != 1 || !strings.HasSuffix(ps[0].String(), ": "+c.want) {
				t.Errorf("want %q alone, found\n%v", c.want, err)
			}
		})
	}
}

func TestNoProject(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere")} {
		if _, err := Load(dir, known); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "weir init") {
			t.Errorf("%v", err)
		}
	}
}

// TestProjectIsNoFile: --project that names a file of it says which directory it is.
func TestProjectIsNoFile(t *testing.T) {
	t.Parallel()
	dir := write(t, nil)
	if _, err := Load(filepath.Join(dir, "weir.yaml"), known); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "name the directory: --project "+dir) {
		t.Errorf("%v", err)
	}
}

func TestSymlinkOutOfTheProjectIsRefused(t *testing.T) {
	t.Parallel()
	dir := write(t, nil)
	secret := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(secret, []byte("of: person"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "traits", "leak.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, known); err == nil || !strings.Contains(err.Error(), "traits/leak.yaml: can't be read") {
		t.Errorf("%v", err)
	}
}

func TestResolver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pass"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := Resolver{Dir: dir, Getenv: func(k string) (string, bool) { return "db", k == "HOST" }}
	got, err := v.Settings(map[string]any{"dsn": "postgres://u:${file:pass}@${env:HOST}/x", "n": int64(3), "l": []any{"${env:HOST}"}})
	want := map[string]any{"dsn": "postgres://u:s3cret@db/x", "n": int64(3), "l": []any{"db"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, missing := range []string{"${env:NOPE}", "${file:nope}"} {
		if _, err := v.Text(missing); weir.CodeOf(err) != weir.Invalid || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", missing, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, text := range good {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range []string{"weir.yaml", "sources/crm.yaml", "identity.yaml", "segments/sick.yaml", "activations/sick.yaml"} {
			if text == "" {
				return
			}
			_, _ = Load(write(t, map[string]string{file: text}), known)
		}
	})
}
