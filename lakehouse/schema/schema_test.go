package schema_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

var update = flag.Bool("update", false, "write testdata/tables.golden.json")

// A field id is for ever: this fails when a declared column changes its id,
// type or place. New columns go last and new tables anywhere; then run with
// -update.
func TestDeclarationsAreStable(t *testing.T) {
	got, err := json.MarshalIndent(schema.Fixed(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/tables.golden.json"
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)+"\n"); d != "" {
		t.Fatal(d)
	}
}

func TestEveryTableIsSound(t *testing.T) {
	for _, table := range schema.Fixed() {
		if err := table.Check(); err != nil {
			t.Error(err)
		}
		if table.Doc == "" || len(table.Key) == 0 {
			t.Errorf("%s lacks doc or key", table.Name)
		}
		personal := false
		for _, c := range table.Columns {
			if c.ID == 0 || c.Doc == "" || len(c.Sub) != c.Type.Subs() {
				t.Errorf("%s.%s lacks an id or doc", table.Name, c.Name)
			}
			if c.Required != slices.Contains(table.Key, c.Name) {
				t.Errorf("%s.%s: exactly the key is required", table.Name, c.Name)
			}
			personal = personal || strings.HasSuffix(c.Name, "profile_id") || strings.HasSuffix(c.Name, "record_id") ||
				c.Name == "identifiers" || c.Name == "identifier_value" || c.Name == "value_excerpt"
		}
		if personal != (len(table.PersonBy) > 0) {
			t.Errorf("%s: how is a person found in it?", table.Name)
		}
	}
}

// Each noun and its table have the same columns.
func TestNounsMatchTheirTables(t *testing.T) {
	for name, noun := range map[string]any{
		"core.records": weir.Record{}, "core.events": weir.Event{}, "core.consents": weir.Consent{}, "core.profiles": weir.Profile{},
		"core.lineage": weir.Lineage{}, "core.traits": weir.TraitValue{}, "identity.edges": weir.Edge{}, "identity.links": weir.Link{},
		"identity.candidates": weir.Candidate{}, "identity.models": weir.IdentityModel{}, "identity.identifiers": weir.IdentifierOwner{}, "identity.accounts": weir.AccountLink{}, "identity.merges": weir.Merge{}, "identity.moves": weir.RecordMove{}, "identity.decisions": weir.IdentityDecision{}, "identity.runs": weir.IdentityFigure{}, "segment.memberships": weir.Membership{},
		"segment.changes": weir.MembershipChange{}, "segment.scores": weir.FittedScore{}, "consent.decisions": weir.Decision{}, "consent.classes": weir.DecisionClass{},
		"activation.state": weir.DeliveryState{}, "activation.deliveries": weir.Delivery{}, "ops.runs": weir.StageRun{},
		"ops.quarantine": weir.Quarantined{},
	} {
		var want, got []string
		for f := range reflect.TypeOf(noun).Fields() {
			tag, ok := f.Tag.Lookup("parquet")
			if !ok {
				tag = f.Tag.Get("json")
			}
			if n, _, _ := strings.Cut(tag, ","); n != "attributes" {
				want = append(want, n)
			}
		}
		for _, c := range schema.Named(name).Columns {
			got = append(got, c.Name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestAttributesBecomeColumns(t *testing.T) {
	attributes := map[string]weir.AttributeType{"b": weir.Number, "a": weir.Text, "c": weir.Date, "d": weir.Instant, "e": weir.Boolean}
	for _, table := range []schema.Table{schema.Records(attributes), schema.Profiles(attributes)} {
		var got []string
		for _, c := range table.Attributes() {
			got = append(got, c.Name+" "+string(c.Type))
			if c.ID != 0 {
				t.Errorf("%s: an attribute's id is the catalog's to assign", c.Name)
			}
		}
		if d := cmp.Diff([]string{"a text", "b decimal(38,9)", "c date", "d timestamp", "e boolean"}, got); d != "" {
			t.Error(d)
		}
	}
}

func TestArrowSchemaCarriesEveryFieldID(t *testing.T) {
	s, err := schema.Named("core.events").Arrow()
	if err != nil {
		t.Fatal(err)
	}
	f, _ := s.FieldsByName("identifiers")
	m := f[0].Type.(*arrow.MapType)
	ids := []string{}
	for _, md := range []arrow.Metadata{f[0].Metadata, m.KeyField().Metadata, m.ItemField().Metadata, m.ItemType().(*arrow.ListType).ElemField().Metadata} {
		v, _ := md.GetValue("PARQUET:field_id")
		ids = append(ids, v)
	}
	if d := cmp.Diff([]string{"7", "8", "9", "10"}, ids); d != "" {
		t.Fatal(d)
	}
}

func TestRawTableOfASource(t *testing.T) {
	as := arrow.NewSchema([]arrow.Field{
		{Name: "Id", Type: arrow.PrimitiveTypes.Int16}, {Name: "price", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.LargeString)}, {Name: "at", Type: &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Europe/Paris"}},
		{Name: "wall", Type: &arrow.TimestampType{Unit: arrow.Second}}, {Name: "big", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "nothing", Type: arrow.Null}, {Name: "code", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
	}, nil)
	table, err := schema.Raw(schema.RawName("crm", "contacts"), as)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range table.Columns {
		got = append(got, c.Name+" "+string(c.Type))
	}
	want := []string{"Id int", "price decimal(12,2)", "tags list(text)", "at timestamp", "wall local_timestamp", "big decimal(20,0)",
		"nothing text", "code text", "_weir_row_id text", "_weir_collected_at timestamp", "_weir_origin text", "_weir_op text"}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	bad := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.FixedWidthTypes.Duration_s}}, nil)
	if _, err := schema.Raw("raw.a__b", bad); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), `"x"`) {
		t.Fatal(err)
	}
}

func TestTypes(t *testing.T) {
	for _, typ := range []schema.Type{"text", "decimal(38,9)", "list(text)", "map(text,list(decimal(5,2)))", schema.Map(schema.Text, schema.Map(schema.Text, schema.Long))} {
		if err := typ.Check(); err != nil {
			t.Error(err)
		}
		if _, err := typ.ArrowType(); err != nil {
			t.Error(err)
		}
	}
	for _, typ := range []schema.Type{"", "string", "decimal(39,1)", "decimal(3,4)", "list(x)", "map(text)", "list(text"} {
		if typ.Check() == nil {
			t.Errorf("%q passed", typ)
		}
	}
	widens := map[[2]schema.Type]bool{{"int", "long"}: true, {"long", "int"}: false, {"decimal(5,2)", "decimal(9,2)"}: true,
		{"decimal(5,2)", "decimal(9,3)"}: false, {"text", "text"}: true, {"long", "text"}: false}
	for pair, want := range widens {
		if pair[0].Widens(pair[1]) != want {
			t.Errorf("%s to %s: not %v", pair[0], pair[1], want)
		}
	}
}

func TestMarkdownNamesEveryColumn(t *testing.T) {
	md := schema.Markdown(schema.Fixed())
	for _, table := range schema.Fixed() {
		if !strings.Contains(md, "## "+table.Name+"\n") {
			t.Errorf("%s is missing", table.Name)
		}
		for _, c := range table.Columns {
			if !strings.Contains(md, "| `"+c.Name+"` | "+string(c.Type)+" |") {
				t.Errorf("%s.%s is missing", table.Name, c.Name)
			}
		}
	}
}
