package stages

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/project"
)

// person is what the gate and the activations need of one profile.
type person struct {
	profile     string
	values      map[string]any // attributes and trait.<name>, as JSON values
	identifiers weir.Identifiers
	segments    []string
	consents    []weir.Consent
	held        []weir.Identifiers            // of each record: what a source itself holds together
	state       map[string]weir.DeliveryState // by activation: that it is held; with its content only of one person asked for
	decided     map[string]weir.Decision      // in force; without run and moment
	prior       []int32                       // in its place, of a rehearsal: by the activation's number
	contact     time.Time                     // the last one that came from the person; zero: not known
	sent        []int64                       // deliveries that each limit of contact pressure counts
	refused     map[string][2]string          // by activation, under contact pressure: key and checksum that its destination refused last
}

// audience reads people, in the order of profile ids, from the tables that are
// pinned. It is bounded by the people of one chunk, not by the lake.
type audience struct {
	sess       *sql.Internal
	attributes []schema.Column
	traits     []string
	segments   []string // that are looked at: of activations, and those that hold back
	contacts   bool     // the table contact is there
	limits     int      // of contact pressure: the table sent is there
	numbered   int      // activations, whose decisions are read by their numbers; 0: as they are
	have       func(table string) bool
}

// audienceTables are those that an audience reads.
var audienceTables = []string{"core.profiles", "core.traits", "core.consents", "core.records", "identity.links",
	"segment.memberships", "activation.state", "consent.decisions", "consent.classes"}

// audienceMemory is what the working tables and sorts may hold before they spill:
// the people that are being decided on, and the gate, take memory beside it.
const audienceMemory = "512MiB"

// entryColumns are those of a consent entry that the gate reads: what is told of
// a person is large enough without its notices.
var entryColumns = []string{"consent_id", "identifier_kind", "identifier_value", "purpose", "channel", "action", "basis", "explicit",
	"jurisdiction", "occurred_at", "recorded_at", "expires_at", "proof", "method", "actor", "raw_signal"}

// wanted finds which attributes, traits and segments the activations use.
func wanted(p *project.Project, activations []weir.ActivationDef) (attributes map[string]bool, traits, segments []string) {
	attributes, traitSet, segmentSet := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, refs := range [][]string{p.Subject.Jurisdiction, p.Subject.Region, p.Subject.BirthDate, p.Subject.Customer, p.Subject.OptOutOffered} {
		for _, ref := range refs {
			if name, ok := strings.CutPrefix(ref, "attribute."); ok {
				attributes[name] = true
			} else if name, ok := strings.CutPrefix(ref, "trait."); ok {
				traitSet[name] = true
			}
		}
	}
	for _, a := range activations {
		segmentSet[a.Segment] = true
		attributes[a.Key] = true
		for _, v := range a.Fields {
			if name, ok := strings.CutPrefix(v, "trait."); ok {
				traitSet[name] = true
			} else {
				attributes[v] = true
			}
		}
	}
	return attributes, slices.Sorted(maps.Keys(traitSet)), slices.Sorted(maps.Keys(segmentSet))
}

// openAudience prepares the working tables: who is considered (members, and all
// that was delivered before), and which consent entries reach whom.
func (h *House) openAudience(ctx context.Context, p *project.Project, activations []weir.ActivationDef, pins map[string]int64, now time.Time) (*audience, error) {
	return h.openAudienceOf(ctx, p, activations, pins, now, nil)
}

// openAudienceOf is openAudience for these profiles alone; nil is everybody.
func (h *House) openAudienceOf(ctx context.Context, p *project.Project, activations []weir.ActivationDef, pins map[string]int64, now time.Time, only []string) (*audience, error) {
	tables, contacts := audienceTables, contactEvents(p)
	if len(contacts) > 0 {
		tables = slices.Concat(tables, contactTables)
	}
	limits := len(p.Contact.Pressure)
	if only != nil {
		limits = 0 // who is looked at again was planned
	}
	if limits > 0 {
		tables = slices.Concat(tables, pressureTables)
	}
	sess, have, err := h.attached(ctx, tables, pins)
	if err != nil {
		return nil, err
	}
	if err := h.placeDecisions(ctx, sess); err != nil {
		sess.Close()
		return nil, err
	}
	a := &audience{sess: sess, have: func(t string) bool { return have[t].Name != "" }}
	names, traits, segments := wanted(p, activations)
	a.traits, a.segments, a.limits = traits, slices.Concat(segments, holdingSegments(p, activations)), limits
	for _, c := range have["core.profiles"].Attributes() {
		if names[c.Name] {
			a.attributes = append(a.attributes, c)
		}
	}
	among := ""
	if only != nil {
		among = " where profile_id in (" + literals(only) + ")"
	}
	queries := []string{
		"set memory_limit = '" + audienceMemory + "'",
		fmt.Sprintf(`create table considered as select profile_id from (
			select profile_id from segment.memberships where segment in (%s)
			union select profile_id from activation.state where activation in (%s))%s`,
			literals(segments), literals(namesOfActivations(activations)), among),
		// A shared address carries its restrictions to everybody who holds it, so
		// entries reach profiles through the identifiers that these hold.
		`create table address as
			select p.profile_id, i.kind, unnest(i.vals) as value from
			(select profile_id, unnest(map_entries(identifiers)) as e from core.profiles semi join considered using (profile_id)) p,
			lateral (select p.e.key as kind, p.e.value as vals) i`,
		`create table reach as
			select distinct a.profile_id, c.* from core.consents c
			join address a on a.kind = c.identifier_kind and a.value = c.identifier_value`,
	}
	if a.contacts = len(contacts) > 0; a.contacts {
		q, err := contactQuery(contacts, p, now)
		if err != nil {
			sess.Close()
			return nil, err
		}
		queries = append(queries, "create table contact as "+q)
	}
	if a.limits > 0 {
		q, err := pressureQueries(p, have, now)
		if err != nil {
			sess.Close()
			return nil, err
		}
		queries = append(queries, q...)
	}
	for _, q := range queries {
		if _, err := sess.Exec(ctx, q); err != nil {
			sess.Close()
			return nil, err
		}
	}
	return a, nil
}

func namesOfActivations(as []weir.ActivationDef) []string {
	out := make([]string, len(as))
	for i := range as {
		out[i] = as[i].Name
	}
	return out
}

// literals writes a list of SQL texts, never empty.
func literals(names []string) string {
	if len(names) == 0 {
		return "''"
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = sql.QuoteText(n)
	}
	return strings.Join(out, ", ")
}

func (a *audience) Close() error { return a.sess.Close() }

// chunks is into how many ranges of profile ids the people are cut.
func (a *audience) chunks(ctx context.Context) (int, error) {
	const perChunk = 250_000 // few enough that their sorts fit audienceMemory
	found, err := column[int64](ctx, a.sess, "select count(*) from considered")
	if err != nil {
		return 0, err
	}
	return int(found[0]/perChunk) + 1, nil
}

// people gives everybody considered, sorted by profile id.
func (a *audience) people(ctx context.Context) iter.Seq2[*person, error] {
	return func(yield func(*person, error) bool) {
		chunks, err := a.chunks(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for c := range chunks {
			within := fmt.Sprintf(`select profile_id from considered qualify ntile(%d) over (order by profile_id) = %d`, chunks, c+1)
			if _, err := a.sess.Exec(ctx, "create or replace table chunk as "+within); err != nil {
				yield(nil, err)
				return
			}
			for p, err := range a.chunk(ctx) {
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

// chunk merges the sorted streams of one range of profile ids.
func (a *audience) chunk(ctx context.Context) iter.Seq2[*person, error] {
	return func(yield func(*person, error) bool) {
		m := &merge{ctx: ctx, sess: a.sess}
		defer m.close()
		ids := open(m, `select profile_id, '' from chunk order by 1`)
		values := open(m, a.valuesQuery())
		segments := open(m, fmt.Sprintf(`select profile_id, segment from segment.memberships semi join chunk using (profile_id) where segment in (%s) order by 1, 2`, literals(a.segments)))
		identifiers := open(m, `select profile_id, cast(to_json(identifiers) as varchar) from core.profiles semi join chunk using (profile_id) order by 1`)
		consents := open(m, fmt.Sprintf(`select profile_id, %s from reach semi join chunk using (profile_id) order by 1, consent_id`, rowJSON("core.consents", entryColumns...)))
		held := open(m, `select l.profile_id, cast(to_json(r.identifiers) as varchar) from core.records r join identity.links l using (record_id)
			where l.profile_id in (select profile_id from reach semi join chunk using (profile_id)) order by 1, r.record_id`)
		state := open(m, `select profile_id, activation from activation.state semi join chunk using (profile_id) order by 1`)
		decided := open(m, a.decisionsQuery())
		contacts := &stream{m: m}
		if a.contacts {
			contacts = open(m, `select profile_id, contact from contact semi join chunk using (profile_id) order by 1`)
		}
		sent, refused := &stream{m: m}, &stream{m: m}
		if a.limits > 0 {
			refused = open(m, `select profile_id, cast(to_json([activation, delivered_key, checksum]) as varchar) from refused semi join chunk using (profile_id) order by 1, 2`)
			sent = open(m, `select profile_id, cast(limit_number as varchar) || ' ' || deliveries from sent semi join chunk using (profile_id) order by 1, limit_number`)
		}
		for m.err == nil && ids.ok {
			p := &person{profile: ids.key, values: map[string]any{}, identifiers: weir.Identifiers{},
				state: map[string]weir.DeliveryState{}, decided: map[string]weir.Decision{}}
			ids.take(p.profile)
			for _, v := range values.take(p.profile) {
				m.decode(v, &p.values)
			}
			p.segments = segments.take(p.profile)
			for _, v := range identifiers.take(p.profile) {
				p.identifiers = m.identifiers(v)
			}
			for _, v := range consents.take(p.profile) {
				var c weir.Consent
				m.decode(v, &c)
				p.consents = append(p.consents, c)
			}
			for _, v := range held.take(p.profile) {
				p.held = append(p.held, m.identifiers(v))
			}
			for _, name := range state.take(p.profile) {
				p.state[name] = weir.DeliveryState{Activation: name, ProfileID: p.profile}
			}
			if a.numbered > 0 {
				p.prior = m.priors(decided.take(p.profile), a.numbered)
			} else {
				m.inForce(p, decided.take(p.profile))
			}
			for _, v := range contacts.take(p.profile) {
				p.contact = m.time(v)
			}
			p.sent, p.refused = m.numbered(sent.take(p.profile), a.limits), m.refusals(refused.take(p.profile))
			if m.err != nil {
				break
			}
			if !yield(p, nil) {
				return
			}
		}
		if m.err != nil {
			yield(nil, m.err)
		}
	}
}

func (a *audience) decisionsQuery() string {
	if a.numbered > 0 {
		return priorsQuery
	}
	return decisionsQuery
}

// valuesQuery gives, for each profile, one JSON object of its attributes and
// one of its traits.
func (a *audience) valuesQuery() string {
	fields := []string{}
	for _, c := range a.attributes {
		fields = append(fields, quote(c.Name)+": "+jsonValue(quote(c.Name), c.Type))
	}
	q := "select profile_id, '{}' as v from core.profiles semi join chunk using (profile_id)"
	if len(fields) > 0 {
		q = fmt.Sprintf("select profile_id, cast(to_json({%s}) as varchar) as v from core.profiles semi join chunk using (profile_id)", strings.Join(fields, ", "))
	}
	if len(a.traits) > 0 {
		q += fmt.Sprintf(` union all select profile_id, cast(json_object('trait.' || trait, case when number is not null then to_json(%s)
			when time is not null then to_json(%s) else to_json('=' || text) end) as varchar) from core.traits semi join chunk using (profile_id) where trait in (%s)`,
			jsonValue("number", schema.Decimal(38, 9)), jsonValue("time", schema.Timestamp), literals(a.traits))
	}
	return q + " order by 1, 2"
}

// jsonValue writes a column so that its JSON keeps its exact value and type:
// texts behind a mark, = for text, # for a decimal, @ for a date or time.
func jsonValue(column string, t schema.Type) string {
	_, _, decimal := t.Decimal()
	switch {
	case decimal:
		return "'#' || rtrim(rtrim(cast(" + column + " as varchar), '0'), '.')"
	case t == schema.Timestamp:
		return "'@' || strftime(" + column + " at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
	case t == schema.Date:
		return "'@' || cast(" + column + " as varchar)"
	case t == schema.Boolean:
		return column
	default:
		return "'=' || cast(" + column + " as varchar)"
	}
}

func quote(name string) string { return sql.QuoteName(name) }
