package stages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/connectors/webhook"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/project"
)

// sound is a project in which doctor finds nothing; each case breaks one thing.
var sound = map[string]string{
	"weir.yaml":     "name: shop\ntimezone: UTC\ndefault_region: FR\ncurrency: EUR\nlake: {}\ntemporal: {}\nsubject: {jurisdiction: [consent.jurisdiction]}\n",
	"identity.yaml": "person:\n  identifiers:\n    email: {limit: 5}\n  survivorship:\n    default: [latest]\n",
	"sources/crm.yaml": `connector: files
config: {path: data}
streams:
  people:
    path: people.csv
    types: {seen: timestamp}
    key: [id]
    as: person
    map:
      identifiers: {email: mail}
      attributes: {given_name: first, birth_date: "date(born)"}
      observed_at: seen
`,
	"data/people.csv":       "id,mail,first,born,seen\n1,jo@x.org,Jo,1990-01-02,2026-01-01T00:00:00Z\n2,al@x.org,Al,1991-01-02,2026-01-01T00:00:00Z\n",
	"segments/all.yaml":     "of: person\nwhere:\n  all:\n    - {attribute: email, exists: true}\n",
	"destinations/esp.yaml": "connector: webhook\nconfig: {url: \"URL/take\", headers: {Authorization: \"Bearer ${env:ESP_TOKEN}\"}}\nprivacy: {role: processor, kind: esp, transfer: none, country: FR, mechanism: adequacy, dpa: true, purposes: [marketing.newsletter]}\n",
	"activations/news.yaml": "segment: all\ndestination: esp\npurpose: marketing.newsletter\nchannel: email\nmode: mirror\nkey: email\nfields: {email: email}\n",
}

// misconfiguration is one seeded mistake: what is replaced in which file, and
// what doctor has to say about where and what to do.
type misconfiguration struct {
	name, file, old, new string
	status               string
	says                 string // in what, where or next of one finding
}

var misconfigurations = []misconfiguration{
	{"secret not set", "destinations/esp.yaml", "ESP_TOKEN", "ESP_TOKN", Bad, "ESP_TOKN is not set"},
	{"secret file missing", "destinations/esp.yaml", "${env:ESP_TOKEN}", "${file:secrets/esp}", Bad, "secrets/esp can't be read"},
	{"catalog's secret not set", "weir.yaml", "lake: {}", `lake: {endpoint: "http://s3", bucket: b, catalog: {type: rest, uri: "http://c", credential: "${env:CATALOG_SECRET}"}}`, Bad, "CATALOG_SECRET is not set"},
	{"session token not set", "weir.yaml", "lake: {}", `lake: {endpoint: "http://s3", bucket: b, access_key: "${env:PATH}", secret_key: "${env:PATH}", session_token: "${env:LENT}"}`, Bad, "LENT is not set"},
	{"unknown key", "sources/crm.yaml", "key: [id]", "keys: [id]", Bad, "key"},
	{"unknown connector", "sources/crm.yaml", "connector: files", "connector: flies", Bad, "files"},
	{"unknown setting", "sources/crm.yaml", "config: {path: data}", "config: {path: data, pth: x}", Bad, "pth"},
	{"folder missing", "sources/crm.yaml", "config: {path: data}", "config: {path: dat}", Bad, "dat"},
	{"folder outside", "sources/crm.yaml", "config: {path: data}", "config: {path: ../..}", Bad, "outside"},
	{"file pattern matches nothing", "sources/crm.yaml", "path: people.csv", "path: peple.csv", Bad, "people.csv"},
	{"key column missing", "sources/crm.yaml", "key: [id]", "key: [ids]", Bad, "ids"},
	{"mapped column missing", "sources/crm.yaml", "given_name: first,", "given_name: frist,", Bad, "frist"},
	{"expression of a missing column", "sources/crm.yaml", "date(born)", "date(birn)", Bad, "birn"},
	{"expression that does not parse", "sources/crm.yaml", "date(born)", "date(born", Bad, "birth_date"},
	{"typed column missing", "sources/crm.yaml", "types: {seen: timestamp}", "types: {sen: timestamp}", Bad, "sen"},
	{"unknown column type", "sources/crm.yaml", "types: {seen: timestamp}", "types: {seen: moment}", Bad, "moment"},
	{"wrong encoding declared", "sources/crm.yaml", "path: people.csv", "path: people.csv\n    encoding: klingon", Bad, "klingon"},
	{"empty file", "data/people.csv", "*", "", Bad, "people.csv"},
	{"ragged rows", "data/people.csv", "2,al@x.org,Al,1991-01-02,2026-01-01T00:00:00Z", "2,al@x.org", Warn, "people.csv"},
	{"no row can be read", "data/people.csv", "*", "id,mail,first,born,seen\n1,jo@x.org\n", Bad, "people.csv:2"},
	{"row without its key", "data/people.csv", "2,al@x.org", ",al@x.org", Warn, "people.csv:3"},
	{"date that is none", "data/people.csv", "1991-01-02", "31/02/1991", Warn, "birth_date of 1 of the first 2 rows can't be used, the first at people.csv:3"},
	{"key twice", "data/people.csv", "2,al@x.org", "1,al@x.org", Warn, "the id of an earlier row, the first at people.csv:3"},
	{"not the declared type", "data/people.csv", "1,jo@x.org,Jo,1990-01-02,2026-01-01T00:00:00Z", "1,jo@x.org,Jo,1990-01-02,yesterday", Warn, "seen"},
	{"not a text file", "data/people.csv", "*", "PK\x03\x04\x00\x00\x00\x00", Bad, "people.csv"},
	{"header without the columns", "data/people.csv", "id,mail,first,born,seen", "a,b,c,d,e", Bad, "sources/crm.yaml"},
	{"destination away", "destinations/esp.yaml", "URL/take", "http://127.0.0.1:1/take", Bad, "127.0.0.1:1"},
	{"destination refuses", "destinations/esp.yaml", "URL/take", "URL/refuse", Bad, "401"},
	{"destination hangs", "destinations/esp.yaml", "URL/take", "URL/hang", Bad, "no answer"},
	{"not a URL", "destinations/esp.yaml", "URL/take", "ftp://x", Bad, "url"},
	{"broken template", "destinations/esp.yaml", "config: {", "config: {template: \"{{.Nothing}}\", ", Bad, "template"},
	{"unknown purpose", "activations/news.yaml", "purpose: marketing.newsletter", "purpose: marketing.newslettr", Bad, "marketing.newsletter"},
	{"unknown destination", "activations/news.yaml", "destination: esp", "destination: eps", Bad, "esp"},
	{"unknown attribute", "segments/all.yaml", "attribute: email", "attribute: emial", Bad, "email"},
	{"broken condition", "segments/all.yaml", "exists: true", "exists: true, older_than: soon", Bad, "segments/all.yaml:4"},
	{"broken trait", "traits/spent.yaml", "*", "of: person\ncompute: {expression: \"trait.orders +\"}", Bad, "traits/spent.yaml:2"},
	{"broken rule", "policies/consent/extra.rego", "*", "package consent.extra\n\nallow if {", Bad, "policies/"},
	{"invalid YAML", "identity.yaml", "person:", "person: [", Bad, "identity.yaml"},
}

func TestDoctorFindsSeededMisconfigurations(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refuse":
			w.WriteHeader(http.StatusUnauthorized)
		case "/hang":
			<-hang
		}
	}))
	t.Cleanup(func() { close(hang); server.Close() })
	if found := examine(t, server.URL, misconfiguration{}); worst(found) != Fine || len(found) < 5 {
		t.Fatalf("a sound project: %+v", found)
	}
	if len(misconfigurations) < 20 {
		t.Fatal("fewer than 20 cases")
	}
	for _, m := range misconfigurations {
		t.Run(m.name, func(t *testing.T) {
			found := examine(t, server.URL, m)
			for _, f := range found {
				if f.Status != Fine && f.Next == "" {
					t.Errorf("no next step: %+v", f)
				}
				if f.Status == m.status && strings.Contains(f.What+" "+f.Where+" "+f.Next, m.says) {
					return
				}
			}
			t.Errorf("want %s with %q, found:\n%+v", m.status, m.says, found)
		})
	}
}

// examine writes the project with one mistake and lets doctor look at it.
func examine(t *testing.T, url string, m misconfiguration) []Finding {
	t.Helper()
	dir := t.TempDir()
	contents := map[string]string{}
	for name, text := range sound {
		contents[name] = text
	}
	if m.old == "*" {
		contents[m.file] = m.new
	} else if m.file != "" {
		changed := strings.Replace(contents[m.file], m.old, m.new, 1)
		if changed == contents[m.file] {
			t.Fatalf("the case changes nothing in %s", m.file)
		}
		contents[m.file] = changed
	}
	for name, text := range contents {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "URL", url)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known := map[string]connectors.Connector{"files": files.Connector(), "webhook": webhook.Connector()}
	p, err := project.Load(dir, known)
	if err != nil {
		return Problems(err)
	}
	h := &House{Connectors: known, Dir: dir, Clock: func() time.Time { return noon }, Secrets: project.Resolver{Dir: dir, Getenv: func(name string) (string, bool) { return "t", name == "ESP_TOKEN" }}}
	return Checkup{House: h, Project: p, Timeout: 2 * time.Second}.All(t.Context())
}

func worst(found []Finding) string {
	out := Fine
	for _, f := range found {
		if f.Status == Bad || out == Fine {
			out = f.Status
		}
	}
	return out
}

func TestDoctorOfTheStore(t *testing.T) {
	if f := CheckStore(t.Context(), objecttest.Open(t), "x"); f.Status != Fine {
		t.Errorf("%+v", f)
	}
	// a store that does as if every condition held
	c := objecttest.Config(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-None-Match")
			next.ServeHTTP(w, r)
		})
	})
	s, err := object.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if f := CheckStore(t.Context(), s, "x"); f.Status != Bad || !strings.Contains(f.What, "If-None-Match") {
		t.Errorf("%+v", f)
	}
}

func TestDoctorOfTheDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet")
	if f := CheckDisk(dir, 1); f.Status != Fine {
		t.Errorf("%+v", f)
	}
	if f := CheckDisk(dir, 1<<62); f.Status != Bad || f.Next == "" {
		t.Errorf("%+v", f)
	}
}

// Doctor names the line that is to be changed, and says one mistake once.
func TestDoctorNamesTheLine(t *testing.T) {
	for _, m := range []misconfiguration{
		{"mapped identifier", "sources/crm.yaml", "{email: mail}", "{email: mial}", Bad, "identifiers: {email"},
		{"mapped column", "sources/crm.yaml", "given_name: first,", "given_name: frist,", Bad, "given_name: frist"},
		{"expression", "sources/crm.yaml", "date(born)", "date(birn)", Bad, "date(birn)"},
		{"secret", "destinations/esp.yaml", "ESP_TOKEN", "ESP_TOKN", Bad, "ESP_TOKN"},
		{"secret file", "destinations/esp.yaml", "${env:ESP_TOKEN}", "${file:secrets/esp}", Bad, "secrets/esp"},
		{"secret of a source", "sources/crm.yaml", "config: {path: data}", "config: {path: \"${env:NO_PATH}\"}", Bad, "NO_PATH"},
		{"purpose", "activations/news.yaml", "purpose: marketing.newsletter", "purpose: marketing.newslettr", Bad, "purpose:"},
	} {
		var bad []Finding
		for _, f := range examine(t, "http://127.0.0.1:1", m) {
			if f.Status == Bad && f.Part != "destination esp" {
				bad = append(bad, f)
			}
		}
		text := strings.Replace(sound[m.file], m.old, m.new, 1)
		line := 1 + strings.Count(text[:strings.Index(text, m.says)], "\n")
		if want := fmt.Sprintf("%s:%d:", m.file, line); len(bad) != 1 || !strings.HasPrefix(bad[0].Where, want) {
			t.Errorf("%s: want one finding at %s, got %+v", m.name, want, bad)
		}
	}
}
