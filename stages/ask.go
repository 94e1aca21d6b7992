package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// asking is a person's questions to the tables that are current: what the
// command line and the console show. It changes nothing.
type asking struct {
	*House
	sess *sql.Internal
	pins map[string]int64
	have map[string]schema.Table
	// decisionRows are the rows of identity.decisions, once decisions was asked.
	decisionRows []weir.IdentityDecision
}

// ask opens these tables as ops.runs pins them.
func (h *House) ask(ctx context.Context, tables ...string) (*asking, error) {
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return nil, err
	}
	sess, have, err := h.attached(ctx, tables, pins)
	if err != nil {
		return nil, err
	}
	return &asking{House: h, sess: sess, pins: pins, have: have}, nil
}

func (q *asking) close() { _ = q.sess.Close() } // nothing was written

// list reads rows of a fixed table as its noun; rest is what follows the table's
// name, with values as parameters.
func list[T any](ctx context.Context, q *asking, table, rest string, args ...any) ([]T, error) {
	return decoded[T](ctx, q, "select "+rowJSON(table)+" from "+table+" "+rest, args...)
}

// decoded reads the one JSON column of a query.
func decoded[T any](ctx context.Context, q *asking, query string, args ...any) ([]T, error) {
	rows, err := q.sess.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		text, _ := rows.Values()[0].(string)
		var v T
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return nil, weir.Errorf(weir.Internal, "read a row: %w", err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Who is what a reference to a person or account leads to.
type Who struct {
	ProfileID string   `json:"profile_id"`
	Was       string   `json:"was,omitempty"`       // the id asked for, where it is now another
	Kind      string   `json:"kind,omitempty"`      // of the identifier asked for
	Value     string   `json:"value,omitempty"`     // as the tables have it
	RecordID  string   `json:"record_id,omitempty"` // the record asked for
	Holders   []string `json:"holders,omitempty"`   // profiles with the value, where it leads to no single one
}

var identifierForm = regexp.MustCompile(`^([a-z][a-z0-9_]*):(.+)$`)

// whoTables are those that who reads.
var whoTables = []string{"core.profiles", "core.records", "identity.identifiers", "identity.links", "identity.merges"}

// who finds the profile of KIND:VALUE, of a record's id or of a profile's id, old
// ones too. A value that leads nowhere gives no profile, but its holders.
func (q *asking) who(ctx context.Context, ref string) (Who, error) {
	ref = reference(ref)
	if m := identifierForm.FindStringSubmatch(ref); m != nil {
		return q.holder(ctx, m[1], m[2])
	}
	if strings.Contains(ref, "/") {
		links, err := list[weir.Link](ctx, q, "identity.links", "where record_id = ?", ref)
		if err != nil {
			return Who{}, err
		}
		if len(links) == 0 {
			return Who{}, weir.Errorf(weir.NotFound, "there is no record %q", ref).
				Then("a record's id is SOURCE/STREAM/KEY; see weir query \"select record_id from core.records limit 5\"")
		}
		return Who{ProfileID: links[0].ProfileID, RecordID: ref}, nil
	}
	known, err := q.exists(ctx, ref)
	if err != nil || known {
		return Who{ProfileID: ref}, err
	}
	return q.former(ctx, ref)
}

func (q *asking) exists(ctx context.Context, profile string) (bool, error) {
	// Until unify has run, a new profile is in the links alone.
	found, err := decoded[string](ctx, q, `select to_json(profile_id)::varchar from core.profiles where profile_id = ?
		union all (select to_json(profile_id)::varchar from identity.links where profile_id = ? limit 1)`, profile, profile)
	return len(found) > 0, err
}

// former follows an id that was given up.
func (q *asking) former(ctx context.Context, id string) (Who, error) {
	merges, err := list[weir.Merge](ctx, q, "identity.merges", "order by \"at\", from_profile_id, to_profile_id")
	if err != nil {
		return Who{}, err
	}
	if !slices.ContainsFunc(merges, func(m weir.Merge) bool { return m.From == id || m.To == id }) {
		return Who{}, weir.Errorf(weir.NotFound, "there is no profile %q, and never was", id).
			Then("name a profile's id, a record's id (SOURCE/STREAM/KEY) or KIND:VALUE, such as email:jo@example.org")
	}
	now, alive := stableid.NewHistory(merges).Resolve(id)
	if !alive {
		return Who{}, weir.Errorf(weir.NotFound, "profile %q was retired: all its records are gone", id)
	}
	return Who{ProfileID: now, Was: id}, nil
}

// holder finds who a value leads to.
func (q *asking) holder(ctx context.Context, kind, value string) (Who, error) {
	for _, v := range spellings(kind, value) {
		owners, err := list[weir.IdentifierOwner](ctx, q, "identity.identifiers", "where kind = ? and value = ?", kind, v)
		if err != nil {
			return Who{}, err
		}
		if len(owners) > 0 && !owners[0].Ambiguous {
			return Who{ProfileID: owners[0].ProfileID, Kind: kind, Value: v}, nil
		}
		holders, err := decoded[string](ctx, q, "select to_json(profile_id)::varchar from core.profiles where list_contains(identifiers[?], ?) order by 1 limit 100", kind, v)
		if err != nil {
			return Who{}, err
		}
		if len(owners) > 0 || len(holders) > 0 {
			return Who{Kind: kind, Value: v, Holders: holders}, nil
		}
	}
	kinds, err := decoded[string](ctx, q, "select distinct to_json(kind)::varchar from identity.identifiers order by 1")
	if err != nil {
		return Who{}, err
	}
	if len(kinds) == 0 {
		return Who{}, weir.Errorf(weir.NotFound, "there are no profiles yet").Then("weir run")
	}
	if !slices.Contains(kinds, kind) {
		return Who{}, weir.Errorf(weir.NotFound, "nobody has an identifier of kind %q", kind).Then("there are: " + strings.Join(kinds, ", "))
	}
	return Who{}, weir.Errorf(weir.NotFound, "nobody holds this %s", kind).Then("values are compared as standardised: e-mail in small letters, phones like +33612345678")
}

// one is who, where only a single profile will do.
func (q *asking) one(ctx context.Context, ref string) (Who, error) {
	w, err := q.who(ctx, ref)
	if err == nil && w.ProfileID == "" {
		return w, weir.Errorf(weir.Conflict, "this %s leads to no single profile: %s", w.Kind, unled(len(w.Holders))).
			Then("name one of these profiles: " + strings.Join(w.Holders[:min(5, len(w.Holders))], ", "))
	}
	return w, err
}

// spellings are a value as written and as the tables would have it.
func spellings(kind, value string) []string {
	out := []string{value}
	var canonical string
	var err error
	switch kind {
	case "email":
		canonical, err = standard.Email(value, &standard.Context{})
	case "phone", "mobile":
		canonical, err = standard.Phone(value, &standard.Context{})
	default:
		canonical, err = standard.Identifier(kind)(value, &standard.Context{})
	}
	if err == nil && canonical != "" && canonical != value {
		out = append(out, canonical)
	}
	return out
}

// fieldsJSON builds the SQL for one JSON object of columns: name to expression.
func fieldsJSON(fields ...[2]string) string {
	var parts []string
	for _, f := range fields {
		parts = append(parts, fmt.Sprintf("%s: %s", quote(f[0]), f[1]))
	}
	return "cast(to_json({" + strings.Join(parts, ", ") + "}) as varchar)"
}

// moment writes a timestamp column as JSON's text.
func moment(column string) string {
	return "strftime(" + column + " at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
}

// unled says why a value leads to no single profile.
func unled(holders int) string {
	if holders > 1 {
		return fmt.Sprintf("%d profiles hold it", holders)
	}
	return "it is blocked, or says nothing by itself (weir identity report)"
}
