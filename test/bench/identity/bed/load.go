// Package bed runs the identity model in one process on a data set with truth.
package bed

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// Set is a data set with its truth.
type Set struct {
	Records []weir.Record
	Truth   []int32 // of each record: the entity, numbered in the order of their names
}

// Load reads STEM.records.csv with STEM.truth.csv, or a folder with people.csv
// and people_truth.csv, and standardises as conform would.
func Load(path string) (*Set, error) {
	records, truth := path+".records.csv", path+".truth.csv"
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		records, truth = filepath.Join(path, "people.csv"), filepath.Join(path, "people_truth.csv")
	}
	s := &Set{}
	at := map[string]int{}
	if err := read(records, func(col []string, row []string) {
		r := weir.Record{Kind: weir.Person, Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
		for i, c := range col {
			place(&r, c, strings.Clone(strings.TrimSpace(row[i])), row, col)
		}
		at[r.ID] = len(s.Records)
		s.Records = append(s.Records, r)
	}); err != nil {
		return nil, err
	}
	names := make([]string, len(s.Records))
	if err := read(truth, func(_ []string, row []string) {
		if i, ok := at[row[0]]; ok {
			names[i] = strings.Clone(row[1])
		}
	}); err != nil {
		return nil, err
	}
	s.number(names)
	return s, nil
}

// number gives entities numbers in the order of their names.
func (s *Set) number(names []string) {
	entity := map[string]int32{}
	for k, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		entity[name] = int32(k)
	}
	s.Truth = make([]int32, len(names))
	for i, name := range names {
		s.Truth[i] = entity[name]
	}
}

func read(path string, each func(col, row []string)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return err
	}
	head = append([]string(nil), head...)
	for {
		row, err := r.Read()
		if err != nil {
			if err.Error() == "EOF" {
				return nil
			}
			return err
		}
		each(head, row)
	}
}

// place puts one column where a mapping would.
func place(r *weir.Record, col, v string, row, cols []string) {
	switch col {
	case "record_id":
		r.ID = v
		return
	case "source":
		r.Source = v
		return
	case "updated_at", "soc_sec_id":
		return
	case "by": // a mapping makes one date of three columns
		r.Attributes["birth_date"] = pad(v, 4) + "-" + pad(get("bm", row, cols), 2) + "-" + pad(get("bd", row, cols), 2)
		return
	case "bm", "bd":
		return
	}
	if v == "" {
		return
	}
	switch col {
	case "email":
		r.Identifiers.Add(col, strings.ToLower(v))
	case "phone":
		r.Identifiers.Add(col, "+"+digits(v))
	case "customer_id":
		r.Identifiers.Add(col, v)
	case "date_of_birth":
		if len(v) == 8 {
			r.Attributes[col] = v[:4] + "-" + v[4:6] + "-" + v[6:]
		}
	default:
		r.Attributes[col] = v
	}
}

func get(name string, row, cols []string) string {
	for i, c := range cols {
		if c == name {
			return row[i]
		}
	}
	return ""
}

func pad(s string, n int) string {
	for len(s) < n {
		s = "0" + s
	}
	return s
}

func digits(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c >= '0' && c <= '9' {
			b.WriteRune(c)
		}
	}
	return b.String()
}
