package resolve_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// testData returns a file of the public data sets, or skips the test.
func testData(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("WEIR_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there: set WEIR_TEST_DATA to the folder of the public data sets", name)
	}
	return path
}

func readCSV(t *testing.T, path string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, column := range all[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// quality compares all pairs of records inside one profile with the truth.
func quality(found, truth map[string]string) (precision, recall float64) {
	var both, inFound, inTruth float64
	for a := range truth {
		for b := range truth {
			if a >= b {
				continue
			}
			f, w := found[a] == found[b], truth[a] == truth[b]
			if f {
				inFound++
			}
			if w {
				inTruth++
			}
			if f && w {
				both++
			}
		}
	}
	return both / inFound, both / inTruth
}

func TestRulesOnFake1000(t *testing.T) {
	truth := map[string]string{}
	for _, row := range readCSV(t, testData(t, "id_splink/derived/fake_1000.truth.csv")) {
		truth[row["record_id"]] = row["entity_id"]
	}
	rows := readCSV(t, testData(t, "id_splink/derived/fake_1000.records.csv"))
	email := weir.IdentityDef{Order: []string{"email"}, Identifiers: map[string]weir.IdentifierRule{"email": {}}}
	named := email
	named.Rules = []weir.MatchRule{{Name: "name_and_birth_date", Match: []string{"family_name", "birth_date"}},
		{Name: "given_name_and_birth_date", Match: []string{"given_name", "birth_date"}}}
	var recalls []float64
	for _, c := range []struct {
		name string
		def  weir.IdentityDef
	}{{"e-mail", email}, {"e-mail, a name and birth date", named}} {
		l := newLake(t, c.def, "family_name", "given_name", "birth_date")
		for _, row := range rows {
			fields := []string{"@family_name=" + row["surname"], "@given_name=" + row["first_name"], "@birth_date=" + row["dob"]}
			if row["email"] != "" {
				fields = append(fields, "email="+strings.ToLower(row["email"]))
			}
			l.add(row["record_id"], fields...)
		}
		r := l.resolve()
		precision, recall := quality(r.links, truth)
		t.Logf("%s: precision %.4f, recall %.4f, hubs %d", c.name, precision, recall, r.Counts["hubs"])
		if precision < 0.9 {
			t.Errorf("%s: precision %.4f", c.name, precision)
		}
		recalls = append(recalls, recall)
	}
	if recalls[1] <= recalls[0] {
		t.Errorf("more rules find no more: %v", recalls)
	}
}
