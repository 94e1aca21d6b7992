package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

const goodSource = `connector: files
config: {path: data}
streams:
  people:
    path: people.csv
    key: [id]
    as: person
    map:
      identifiers: {email: email}
      attributes: {given_name: name}
`

// TestBadDefinitions: what is wrong with a project's files is told with file, line
// and the next step, before anything is done.
func TestBadDefinitions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change [2]string
		says   []string
	}{
		"UnknownKey":      {[2]string{"    key: [id]", "    keyy: [id]"}, []string{"sources/s.yaml:6", "keyy", "did you mean", "key"}},
		"InvalidYAML":     {[2]string{"streams:", "streams: [}"}, []string{"sources/s.yaml:", "YAML"}},
		"UnsetVariable":   {[2]string{"{path: data}", `{path: "${env:WEIR_TEST_NOT_SET}"}`}, []string{"sources/s.yaml:4", "WEIR_TEST_NOT_SET", "set"}},
		"UnknownSystem":   {[2]string{"connector: files", "connector: file"}, []string{"sources/s.yaml:1", "did you mean", "files"}},
		"DuplicateKey":    {[2]string{"    as: person", "    as: person\n    as: person"}, []string{"sources/s.yaml:8", "as"}},
		"BadExpression":   {[2]string{"given_name: name", `given_name: "name + + 1"`}, []string{"sources/s.yaml:", "given_name"}},
		"MissingKey":      {[2]string{"    key: [id]\n", ""}, []string{"sources/s.yaml:4", "has no key", "add key"}},
		"FolderEscapes":   {[2]string{"path: people.csv", "path: ../../people.csv"}, []string{"sources/s.yaml:", ".."}},
		"UnknownTimeUnit": {[2]string{"streams:", "schedule: every so often\nstreams:"}, []string{"sources/s.yaml:3", "every 15m"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := weirtest.New(t, map[string]string{"data/people.csv": "id,email,name\n1,a@x.example,A\n",
				"sources/s.yaml": strings.Replace(goodSource, c.change[0], c.change[1], 1)})
			r := p.Weir(t, "run")
			if r.Code != weirtest.Invalid {
				t.Errorf("the run ended with %d\n%s", r.Code, r.Stdout)
			}
			for _, s := range c.says {
				if !strings.Contains(r.Stderr, s) {
					t.Errorf("it does not say %q:\n%s", s, r.Stderr)
				}
			}
		})
	}
}

// badFile is a file as a source should not give it.
type badFile struct {
	name, body string
	options    string // of the stream
	outcome    string
	rows       int64    // that become records all the same
	says       []string // in the part's error, or in the quarantine
}

const person = "map: {identifiers: {email: email}, attributes: {given_name: name, birth_date: born}}"

func badFiles() []badFile {
	line := func(id, more string) string {
		return fmt.Sprintf(`{"id":"%s","email":"%s@x.example","name":"N%s","born":"1980-01-01"}`+"\n", id, id, more)
	}
	var zeros bytes.Buffer
	z := gzip.NewWriter(&zeros)
	block := make([]byte, 1<<20)
	for range 200 {
		_, _ = z.Write(block) // to memory
	}
	_ = z.Close()
	csv := "id,email,name,born\n"
	return []badFile{
		{name: "empty.csv", outcome: "partial", says: []string{"empty.csv", "lacks even a header"}},
		{name: "ragged.csv", body: csv + "1,a@x.example,A,1980-01-01\n2,b@x.example\n3,c@x.example,C,1980-01-01\n", outcome: "partial", rows: 2, says: []string{"ragged.csv:3"}},
		{name: "names.csv", body: "id,email,name,name,born\n1,a@x.example,A,B,1980-01-01\n", outcome: "partial", says: []string{"names.csv", "name"}},
		{name: "long.ndjson", body: line("1", "") + line("2", strings.Repeat("x", 50<<20)) + line("3", ""), outcome: "partial", rows: 2, says: []string{"long.ndjson:2"}},
		{name: "nul.csv", body: csv + "1,a@x.example,A\x00A,1980-01-01\n2,b@x.example,B,1980-01-01\n", outcome: "partial", rows: 1, says: []string{"nul.csv:2", "NUL"}},
		{name: "encoding.csv", options: "encoding: utf-8", body: csv + "1,a@x.example,Andr\xe9,1980-01-01\n2,b@x.example,B,1980-01-01\n", outcome: "partial", rows: 1, says: []string{"encoding.csv:2"}},
		{name: "date.csv", body: csv + "1,a@x.example,A,31/02/1980\n2,b@x.example,B,1980-01-01\n", outcome: "done", rows: 2, says: []string{"date.csv:2", "birth_date"}},
		{name: "nokey.csv", body: csv + ",a@x.example,A,1980-01-01\n2,b@x.example,B,1980-01-01\n", outcome: "done", rows: 1, says: []string{"nokey.csv:2", "key"}},
		{name: "twice.csv", body: csv + "1,a@x.example,A,1980-01-01\n1,b@x.example,B,1980-01-01\n", outcome: "done", rows: 1},
		{name: "column.csv", body: "id,email,name\n1,a@x.example,A\n", outcome: "done", says: []string{"born"}},
		{name: "bomb.xml", options: "row: //p", body: `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><d><p><id>1</id><email>a@x.example</email><name>&b;</name><born>1980-01-01</born></p></d>`, outcome: "partial", says: []string{"bomb.xml"}},
		{name: "entity.xml", options: "row: //p", body: `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><d><p><id>1</id><email>a@x.example</email><name>&e;</name><born>1980-01-01</born></p></d>`, outcome: "partial", says: []string{"entity.xml"}},
		{name: "zeros.csv.gz", body: zeros.String(), outcome: "partial", says: []string{"zeros.csv.gz"}},
		{name: "cut.parquet", body: "PAR1\x15\x04\x15", outcome: "partial", says: []string{"cut.parquet"}},
		{name: "outside.csv", outcome: "partial", says: []string{"outside.csv"}}, // a symbolic link, made by the test
	}
}

// TestBadFiles: each bad file is told of with its row, and stops neither the good
// rows of its own nor any other stream.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	files := badFiles()
	var yaml strings.Builder
	yaml.WriteString("connector: files\nconfig: {path: data}\nstreams:\n")
	project := map[string]string{"data/good.csv": "id,email,name,born\n1,g@x.example,G,1980-01-01\n2,h@x.example,H,1981-01-01\n",
		"identity.yaml": "person:\n  identifiers:\n    email: {limit: 50}\n  survivorship: {default: [latest]}\n"}
	fmt.Fprintf(&yaml, "  good: {path: good.csv, key: [id], as: person, %s}\n", person)
	for _, f := range files {
		stream, _, _ := strings.Cut(f.name, ".")
		options := f.options
		if options != "" {
			options += ", "
		}
		fmt.Fprintf(&yaml, "  %s: {path: %s, %skey: [id], as: person, %s}\n", stream, f.name, options, person)
		project["data/"+f.name] = f.body
	}
	project["sources/bad.yaml"] = yaml.String()
	p := weirtest.New(t, project)
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("id,email,name,born\n1,s@x.example,S,1980-01-01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(p.Path("data/outside.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, p.Path("data/outside.csv")); err != nil {
		t.Fatal(err)
	}

	var s weirtest.Refresh
	r := p.Weir(t, "run", "--json")
	r.JSON(t, &s)
	if r.Code != weirtest.Partial && r.Code != weirtest.Failed {
		t.Errorf("the run ended with %d", r.Code)
	}
	p.Dev(t)
	quarantine, records := map[string]string{}, map[string]int64{}
	for _, row := range p.Query(t, "select stream, origin, coalesce(field, '') as field, reason from ops.quarantine order by all") {
		stream := row["stream"].(string)
		quarantine[stream] += fmt.Sprintf("%s %s: %s\n", row["origin"], row["field"], row["reason"])
	}
	refused := s.Find(t, "conform", "").Error
	for _, f := range append(files, badFile{name: "good.csv", outcome: "done", rows: 2}) {
		stream, _, _ := strings.Cut(f.name, ".")
		records[stream] = p.Numbers(t, map[string]string{"n": "select count(*) from core.records where stream = '" + stream + "'"})["n"]
		part := s.Find(t, "collect", "bad/"+stream)
		told := strings.Join([]string{part.Error, part.Where, part.Next, quarantine[stream]}, "\n")
		for line := range strings.Lines(refused) {
			if strings.HasPrefix(line, "bad/"+stream+":") {
				told += line
			}
		}
		t.Logf("%s: %s, %d rows: %s", f.name, part.Outcome, records[stream], strings.TrimSpace(told))
		if part.Outcome != f.outcome || records[stream] != f.rows {
			t.Errorf("%s is %s with %d rows, not %s with %d", f.name, part.Outcome, records[stream], f.outcome, f.rows)
		}
		for _, want := range f.says {
			if !strings.Contains(told, want) {
				t.Errorf("%s: nothing says %q", f.name, want)
			}
		}
	}
	if strings.Contains(fmt.Sprint(p.Query(t, "select * from core.records")), "root:") {
		t.Error("a file outside was read")
	}
	mended(t, p)
}

// mended: what was quarantined goes on once it is mended, and leaves ops.quarantine:
// a row whose file is whole again, a file that is, and a row that another mapping can
// use, which is conformed anew from what was collected.
func mended(t *testing.T, p *weirtest.Project) {
	t.Helper()
	p.Write(t, "data/ragged.csv", "id,email,name,born\n1,a@x.example,A,1980-01-01\n2,b@x.example,B,1980-01-01\n3,c@x.example,C,1980-01-01\n")
	p.Write(t, "data/empty.csv", "id,email,name,born\n1,a@x.example,A,1980-01-01\n")
	p.Replace(t, "sources/bad.yaml", "{path: nokey.csv, key: [id]", "{path: nokey.csv, key: [email]")
	before := p.Numbers(t, map[string]string{"n": "select count(*) from raw.bad__nokey"})["n"]
	r := p.Weir(t, "run", "--json")
	var s weirtest.Refresh
	r.JSON(t, &s)
	if got := s.Find(t, "collect", "bad/nokey"); got.Outcome != "unchanged" || p.Numbers(t, map[string]string{"n": "select count(*) from raw.bad__nokey"})["n"] != before {
		t.Errorf("another mapping collected again: %+v", got)
	}
	for stream, want := range map[string]int64{"ragged": 3, "empty": 1, "nokey": 2} {
		got := p.Numbers(t, map[string]string{"records": "select count(*) from core.records where stream = '" + stream + "'",
			"quarantined": "select count(*) from ops.quarantine where stream = '" + stream + "'"})
		if got["records"] != want || got["quarantined"] != 0 {
			t.Errorf("%s, mended: %v; want %d records", stream, got, want)
		}
	}
}
