package conform

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
)

var (
	monday  = time.Date(2026, 2, 23, 0, 0, 0, 0, time.UTC)
	tuesday = monday.AddDate(0, 0, 1)
)

func contacts() weir.Mapping {
	return weir.Mapping{Source: "crm", Stream: "contacts", As: "person", Key: []string{"id"}, DefaultRegion: "FR", Timezone: "Europe/Paris",
		Identifiers: map[string]string{"crm_id": "id", "email": "mail", "phone": "mobile"},
		Attributes:  map[string]string{"given_name": "first", "birth_date": "dob", "country": "land", "postcode": "zip", "vip": "vip == 'x'"},
		Fields:      map[string]string{"observed_at": "updated"}, AttributeTypes: map[string]weir.AttributeType{"birth_date": weir.Date, "vip": weir.Boolean}}
}

var contactColumns = append(texts("id", "mail", "mobile", "first", "dob", "land", "zip", "vip"), column("updated", schema.LocalTimestamp))

func TestRecordsAreStandardisedAndTheLastVersionWins(t *testing.T) {
	l := newLake(t)
	l.stream(contacts(), contactColumns,
		collected{tuesday, "crm-2.csv", `
			{"id": "1", "mail": " Jane@X.org", "mobile": "0478 12 34 56", "first": "Jane ", "dob": "31/01/1980", "land": "Frankreich", "zip": "F-01000", "vip": "x", "updated": "2026-01-05 10:00:00"}
			{"id": "3", "_op": "delete"}`},
		collected{monday, "crm-10.csv", `
			{"id": "1", "mail": "old@x.org", "dob": "nonsense", "updated": "2026-01-01 10:00:00"}
			{"id": "3", "mail": "gone@x.org"}
			{"id": "4", "mail": "second@x.org"}`},
		collected{monday, "crm-9.csv", `
			{"id": "4", "mail": "first@x.org"}
			{"id": "5", "mail": "not an address", "mobile": "call me", "dob": "30/02/1980", "land": "Narnia", "first": "Zoë"}
			{"mail": "nokey@x.org"}`})
	m := l.run()
	got := rows[weir.Record](l, m, recordsTable)
	slices.SortFunc(got, func(a, b weir.Record) int { return strings.Compare(a.ID, b.ID) })
	record := func(id string, observed time.Time, attributes map[string]string, ids weir.Identifiers) weir.Record {
		return weir.Record{ID: "crm/contacts/" + id, Kind: weir.Person, Source: "crm", Stream: "contacts", ObservedAt: observed, Attributes: attributes, Identifiers: ids}
	}
	l.same("records", got, []weir.Record{
		record("1", time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), map[string]string{"given_name": "Jane", "birth_date": "1980-01-31", "country": "FR", "postcode": "01000", "vip": "true"},
			weir.Identifiers{"crm_id": {"1"}, "email": {"jane@x.org"}, "phone": {"+33478123456"}}),
		record("4", time.Time{}, map[string]string{"vip": "false"}, weir.Identifiers{"crm_id": {"4"}, "email": {"second@x.org"}}),
		record("5", time.Time{}, map[string]string{"given_name": "Zoë", "vip": "false"}, weir.Identifiers{"crm_id": {"5"}}),
	})
	l.same("counts", m.Counts, map[string]int64{"rows_in": 8, "rows_out": 3, "duplicate_keys": 1, "deleted": 1, "quarantined": 5, "withheld": 1})
	bad := rows[weir.Quarantined](l, m, quarantineTable)
	var fields []string
	for _, q := range bad {
		fields = append(fields, fmt.Sprintf("%s %s %q %t", q.Origin, q.Field, q.Excerpt, q.Withheld))
		if q.RunID != "20260301T120000Z-a" || q.Stage != weir.Conform || q.Source != "crm" || q.Stream != "contacts" || !q.At.Equal(monday) || q.Reason == "" {
			t.Errorf("quarantine row %+v", q)
		}
		if q.Excerpt != "" && strings.Contains(q.Reason, q.Excerpt) {
			t.Errorf("the reason holds the value: %s", q.Reason)
		}
	}
	slices.Sort(fields)
	l.same("quarantine", fields, []string{`crm-9.csv:3 attributes.birth_date "30/02/1980" false`, `crm-9.csv:3 attributes.country "Narnia" false`,
		`crm-9.csv:3 identifiers.email "not an address" false`, `crm-9.csv:3 identifiers.phone "call me" false`, `crm-9.csv:4 key "" true`})
}

func TestEvents(t *testing.T) {
	l := newLake(t)
	l.stream(weir.Mapping{Source: "shop", Stream: "orders", As: "event", Key: []string{"invoice", "line"}, DefaultRegion: "GB", Timezone: "Europe/London",
		Where: "type == 'order'", Identifiers: map[string]string{"customer_id": "customer", "email": "emails"},
		Properties: map[string]string{"revenue": "quantity * unit_price", "product": "stock_code", "extra": "extra", "tags": "emails"},
		Fields:     map[string]string{"name": "'Order Completed'", "occurred_at": "at"}},
		append(texts("invoice", "line", "type", "customer", "stock_code", "at"), column("quantity", schema.Long), column("unit_price", schema.Decimal(12, 2)),
			column("emails", schema.List(schema.Text)), column("extra", schema.Map(schema.Text, schema.Text))),
		collected{monday, "o.csv", `
			{"invoice": "A/1", "line": "1", "type": "order", "customer": "17850", "stock_code": "85123A", "at": "01/07/2025 08:26", "quantity": 6, "unit_price": "2.55", "emails": ["B@x.org", "a@x.org", "bad"], "extra": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]}
			{"invoice": "A/1", "line": "2", "type": "order", "at": "01/07/2025 08:27", "quantity": null, "unit_price": "2.55"}
			{"invoice": "A/1", "line": "3", "type": "refund", "at": "broken"}
			{"invoice": "A/1", "line": "4", "type": "order", "at": "broken", "quantity": 1, "unit_price": "1.00"}
			{"invoice": "A/1", "line": "5", "type": "order"}
			{"line": "6", "type": "refund"}`})
	m := l.run()
	got := rows[weir.Event](l, m, eventsTable)
	event := func(id string, minute int, ids weir.Identifiers, properties map[string]string) weir.Event {
		return weir.Event{ID: "shop/orders/" + id, Name: "Order Completed", Source: "shop", Stream: "orders", ReceivedAt: monday,
			OccurredAt: time.Date(2025, 7, 1, 7, minute, 0, 0, time.UTC), Identifiers: ids, Properties: properties}
	}
	l.same("events", got, []weir.Event{
		event("A%2F1,1", 26, weir.Identifiers{"customer_id": {"17850"}, "email": {"a@x.org", "b@x.org"}},
			map[string]string{"revenue": "15.3", "product": "85123A", "extra.a": "1", "extra.b": "2", "tags": `["B@x.org","a@x.org","bad"]`}),
		event("A%2F1,2", 27, weir.Identifiers{}, map[string]string{}),
	})
	l.same("counts", m.Counts, map[string]int64{"rows_in": 6, "rows_out": 2, "filtered": 1, "quarantined": 3, "withheld": 2})
}

func optins() weir.Mapping {
	return weir.Mapping{Source: "news", Stream: "optins", As: "consent", Key: []string{"id"}, DefaultRegion: "FR", Timezone: "Europe/Paris",
		Identifiers: map[string]string{"email": "email"},
		Fields: map[string]string{"purpose": "purpose", "channel": "channel", "action": "action", "occurred_at": "at", "proof": "form",
			"jurisdiction": "country", "expires_at": "ends"}}
}

func TestConsentsFailClosedBothWays(t *testing.T) {
	l := newLake(t)
	l.stream(optins(), texts("id", "email", "purpose", "channel", "action", "at", "form", "country", "ends"),
		collected{monday, "o.xml", `
			{"id": "01", "email": "A@x.org", "purpose": "Marketing.Newsletter", "channel": "E-Mail", "action": "opt-in", "at": "2026-01-01 10:00", "form": "f1", "country": "France", "ends": "2027-01-01"}
			{"id": "02", "email": "b@x.org", "purpose": "marketing.newsletter", "action": "subscribe", "at": "never"}
			{"id": "03", "email": "b@x.org", "purpose": "marketing.newsletter", "action": "subscribe"}
			{"id": "04", "email": "b@x.org", "action": "subscribe", "at": "2026-01-01"}
			{"id": "05", "email": "nobody", "purpose": "marketing.newsletter", "action": "subscribe", "at": "2026-01-01"}
			{"id": "06", "email": "b@x.org", "purpose": "marketing.newsletter", "action": "subscribe", "at": "2026-01-01", "ends": "soon"}
			{"id": "07", "email": "b@x.org", "purpose": "marketing.newsletter", "action": "perhaps", "at": "2026-01-01"}
			{"id": "11", "email": "c@x.org", "purpose": "marketing.newsletter", "action": "unsubscribe", "at": "never", "ends": "soon"}
			{"id": "12", "email": "c@x.org", "action": "objection"}
			{"id": "13", "email": " No Body@X ", "purpose": "marketing.newsletter", "action": "revoked", "at": "2026-01-02"}
			{"id": "14", "purpose": "marketing.newsletter", "action": "revoked", "at": "2026-01-02"}
			{"id": "21", "email": "d@x.org", "purpose": "p", "action": "withdrawn", "at": "2026-01-02"}
			{"id": "22", "email": "d@x.org", "purpose": "p", "action": "granted", "at": "2026-01-02"}`},
		collected{tuesday, "o.xml", `
			{"id": "21", "_op": "delete"}
			{"id": "22", "_op": "delete"}`})
	m := l.run()
	got := rows[weir.Consent](l, m, consentsTable)
	consent := func(id, value, purpose string, action weir.Action, at time.Time) weir.Consent {
		return weir.Consent{ID: "news/optins/" + id, Kind: "email", Value: value, Purpose: purpose, Action: action, OccurredAt: at, RecordedAt: monday,
			MappingVersion: "v1", Source: "news", Stream: "optins"}
	}
	paris := time.FixedZone("", 3600)
	first := consent("01", "a@x.org", "marketing.newsletter", weir.Granted, time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC))
	first.Channel, first.Proof, first.Jurisdiction, first.ExpiresAt = "email", "f1", "FR", time.Date(2027, 1, 1, 0, 0, 0, 0, paris).UTC()
	second := time.Date(2026, 1, 2, 0, 0, 0, 0, paris).UTC()
	l.same("consents", got, []weir.Consent{first,
		consent("07", "b@x.org", "marketing.newsletter", weir.Withdrawn, time.Date(2026, 1, 1, 0, 0, 0, 0, paris).UTC()),
		consent("11", "c@x.org", "marketing.newsletter", weir.Withdrawn, monday),
		consent("12", "c@x.org", "", weir.Objected, monday),
		consent("13", "no_body@x", "marketing.newsletter", weir.Withdrawn, second),
		consent("21", "d@x.org", "p", weir.Withdrawn, second),
	})
	withheld := map[string]string{}
	for _, q := range rows[weir.Quarantined](l, m, quarantineTable) {
		if q.Withheld {
			withheld[q.Origin] = q.Field
		}
	}
	l.same("withheld", withheld, map[string]string{"o.xml:3": "occurred_at", "o.xml:4": "occurred_at", "o.xml:5": "purpose", "o.xml:6": "identifiers",
		"o.xml:7": "expires_at", "o.xml:12": "identifiers"})
	if m.Counts["restrictions_kept"] != 1 || m.Counts["deleted"] != 2 || m.Counts["withheld"] != 6 {
		t.Errorf("counts %v", m.Counts)
	}
}

func TestPersonalKeysAreHashed(t *testing.T) {
	l := newLake(t)
	m := weir.Mapping{Source: "s", Stream: "t", As: "person", Key: []string{"shop", "mail"}, PersonalKey: []string{"mail"}, Identifiers: map[string]string{"email": "mail"}}
	l.stream(m, texts("shop", "mail"), collected{monday, "a.csv", `{"shop": "1", "mail": "jane@x.org"}`})
	got := rows[weir.Record](l, l.run(), recordsTable)
	if len(got) != 1 || got[0].ID != "s/t/1,"+hashed("pepper", "jane@x.org") || strings.Contains(got[0].ID, "jane") {
		t.Errorf("got %+v", got)
	}
	if _, err := pipelines.RunLocal(t.Context(), l.store, l.plan(), Pipeline, nil); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("without the secret: %v", err)
	}
}

func hashed(secret, part string) string { return (&stream{secret: []byte(secret)}).hash(part) }

// Whatever the order and cut of the raw rows, and with Beam as without it, the
// tables are the same.
func TestOrderCutAndRunnerChangeNothing(t *testing.T) {
	l := newLake(t)
	var all []string
	for i := range 300 {
		all = append(all, fmt.Sprintf(`{"id": "%d", "mail": "p%d@x.org", "mobile": "06 12 34 %02d %02d", "first": "N%d", "dob": "%d/2/1980", "land": "FR"}`,
			i, i%50, i%90+10, i%80+10, i, i%31+1))
	}
	l.stream(contacts(), contactColumns, collected{monday, "a.csv", strings.Join(all, "\n")})
	want := l.run()
	if want.Counts["rows_out"] != 300 || want.Counts["quarantined"] == 0 {
		t.Fatal(want.Counts)
	}
	m, err := pipelines.RunChild(t.Context(), pipelines.Child{Store: l.config, Dir: t.TempDir(), Secrets: secrets}, l.plan(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l.same("Beam", m, want)
	raw := l.schemas["raw.crm__contacts"]
	l.inputs[raw.Name] = nil
	lines := map[string]int{}
	for i, row := range all {
		lines[row] = i
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range 5 {
		l.land(raw, fmt.Sprint("cut", i), collected{monday, "a.csv", strings.Join(all[i*60:(i+1)*60], "\n")})
	}
	cut := l.run()
	records := func(m weir.Manifest) (files []weir.DataFile) {
		for _, tf := range m.Tables {
			if tf.Table == recordsTable {
				files = append(files, tf.Files...)
			}
		}
		return files
	}
	l.same("files of core.records", records(cut), records(want))
}

func TestStreamsThatGoOrChangeKindEmptyTheirScopes(t *testing.T) {
	l := newLake(t)
	l.stream(contacts(), contactColumns)
	l.params.Dropped = []string{"old/stream"}
	m := l.run()
	got := map[string]bool{}
	for _, tf := range m.Tables {
		if !tf.Replace || len(tf.Files) != 0 {
			t.Errorf("%+v", tf)
		}
		got[tf.Table+" "+tf.Scope] = true
	}
	for _, want := range []string{"core.records crm/contacts", "core.events crm/contacts", "core.consents crm/contacts", "ops.quarantine conform/crm/contacts",
		"core.records old/stream", "core.events old/stream", "core.consents old/stream", "ops.quarantine conform/old/stream"} {
		if !got[want] {
			t.Errorf("%s is not replaced", want)
		}
	}
}

func TestExcerptsEndWithTheirRetention(t *testing.T) {
	l := newLake(t)
	l.stream(contacts(), contactColumns, collected{monday, "a.csv", `{"id": "1", "mail": "bad"}`})
	for keep, want := range map[time.Duration]string{0: "bad", 30 * 24 * time.Hour: "bad", time.Hour: ""} {
		l.params.KeepExcerpts = keep
		q := rows[weir.Quarantined](l, l.run(), quarantineTable)
		if len(q) != 1 || q[0].Excerpt != want {
			t.Errorf("kept for %s: %+v", keep, q)
		}
	}
}

func TestOlderFilesLackColumnsAndHaveNarrowerTypes(t *testing.T) {
	l := newLake(t)
	m := weir.Mapping{Source: "s", Stream: "t", As: "person", Key: []string{"id"}, Attributes: map[string]string{"score": "score", "city": "city", "n": "score * 2"},
		AttributeTypes: map[string]weir.AttributeType{"score": weir.Number, "n": weir.Number}}
	l.stream(m, []schema.Column{column("id", schema.Long), column("score", schema.Int)}, collected{monday, "a", `{"id": 1, "score": 2}`})
	old := l.inputs["raw.s__t"]
	l.params.Streams = nil
	l.stream(m, []schema.Column{column("id", schema.Long), column("score", schema.Decimal(9, 2)), column("city", schema.Text)},
		collected{monday, "b", `{"id": 2, "score": "2.50", "city": "Lyon"}`})
	l.inputs["raw.s__t"] = append(l.inputs["raw.s__t"], old...)
	got := rows[weir.Record](l, l.run(), recordsTable)
	slices.SortFunc(got, func(a, b weir.Record) int { return strings.Compare(a.ID, b.ID) })
	var attributes []map[string]string
	for _, r := range got {
		attributes = append(attributes, r.Attributes)
	}
	l.same("attributes", attributes, []map[string]string{{"score": "2", "n": "4"}, {"score": "2.5", "n": "5", "city": "Lyon"}})
}

func TestNaturalOrder(t *testing.T) {
	names := []string{"orders-10.csv", "orders-2.csv", "orders-02.csv", "a", "orders-2.csv.gz", ""}
	slices.SortFunc(names, natural)
	if got := strings.Join(names, " "); got != " a orders-02.csv orders-2.csv orders-2.csv.gz orders-10.csv" {
		t.Error(got)
	}
	for in, want := range map[string]int64{"crm.csv:12": 12, "C:x": -1, "public.t": -1, "s3://b/k:7": 7} {
		if _, line := cutOrigin(in); line != want {
			t.Errorf("%s: line %d", in, line)
		}
	}
}

func TestCheckNamesStreamAndKey(t *testing.T) {
	raw := schema.Table{Name: "raw.crm__contacts", Columns: contactColumns}
	m := contacts()
	if err := Check(m, raw); err != nil {
		t.Error(err)
	}
	m.Attributes = map[string]string{"city": "town"}
	m.Timezone = "Mars/Olympus"
	err := Check(m, raw)
	for _, want := range []string{"crm/contacts: map.attributes.city", `"town"`, "Mars/Olympus"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestParamsSurviveJSON(t *testing.T) {
	text, err := json.Marshal(Params{Streams: []StreamParams{{Mapping: contacts(), RawTable: "raw.x", Version: "v"}}, KeepExcerpts: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p, err := decode(&pipelines.Spec{Params: text})
	if err != nil || p.KeepExcerpts != time.Hour || p.Streams[0].Mapping.Attributes["vip"] == "" {
		t.Errorf("%+v, %v", p, err)
	}
}
