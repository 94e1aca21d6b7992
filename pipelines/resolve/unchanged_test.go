package resolve

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// What is digested from columns is what is digested of the record made of them.
func TestContentsOfColumnsAreThoseOfRecords(t *testing.T) {
	store := objecttest.Open(t)
	table := schema.Records(map[string]weir.AttributeType{"city": weir.Text, "birth_date": weir.Date, "vip": weir.Boolean, "given_name": weir.Text, "aa": weir.Text})
	text := rapid.SampledFrom([]string{"", "a", "b", "é", "a\x00b", "Ann"})
	record := rapid.Custom(func(rt *rapid.T) weir.Record {
		r := weir.Record{ID: text.Draw(rt, "id") + "x", Kind: rapid.SampledFrom([]weir.Kind{weir.Person, weir.Account}).Draw(rt, "kind"), Source: text.Draw(rt, "source"),
			Stream: text.Draw(rt, "stream"), ObservedAt: time.Unix(rapid.Int64Range(0, 9).Draw(rt, "at"), 0), Attributes: map[string]string{},
			Identifiers: rapid.MapOfN(text, rapid.SliceOfN(text, 0, 3), 0, 4).Draw(rt, "identifiers")}
		for _, name := range []string{"city", "given_name", "aa"} {
			if rapid.Bool().Draw(rt, name) {
				r.Attributes[name] = text.Draw(rt, name)
			}
		}
		if rapid.Bool().Draw(rt, "born") {
			r.Attributes["birth_date"] = rapid.SampledFrom([]string{"0001-01-01", "1970-02-03", "9999-12-31"}).Draw(rt, "birth date")
		}
		if rapid.Bool().Draw(rt, "told") {
			r.Attributes["vip"] = rapid.SampledFrom([]string{"true", "false"}).Draw(rt, "vip")
		}
		return r
	})
	rapid.Check(t, func(rt *rapid.T) {
		w, err := rowfile.NewTableWriter[weir.Record](t.Context(), store, table, "crm/c")
		if err != nil {
			rt.Fatal(err)
		}
		for _, r := range rapid.SliceOfN(record, 1, 12).Draw(rt, "records") {
			if err := w.Write(r); err != nil {
				rt.Fatal(err)
			}
		}
		files, err := w.Close()
		if err != nil {
			rt.Fatal(err)
		}
		var c contents
		var got []any
		look := func(v *rowfile.View, chosen []bool) error {
			if err := c.open(v); err != nil {
				return err
			}
			for row := range chosen {
				h, ok := c.of(row)
				if chosen[row] = true; !ok {
					rt.Fatal("a kind came twice")
				}
				got = append(got, h)
			}
			return nil
		}
		n := 0
		for rec, err := range rowfile.Choose[weir.Record](t.Context(), store, table, files, -1, isRead, look) {
			if err != nil {
				rt.Fatal(err)
			}
			if want := index.Content(&rec); got[n] != any(want) {
				rt.Fatalf("row %d: another digest of %+v", n, rec)
			}
			n++
		}
		if n == 0 {
			rt.Fatal("no row")
		}
	})
}
