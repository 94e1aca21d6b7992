package project

import (
	"slices"
	"strings"
	"testing"
)

// TestRelatedAcrossFiles: what follows of several files where a rule asks about people
// of accounts.
func TestRelatedAcrossFiles(t *testing.T) {
	t.Parallel()
	const asks = "of: account\nwhere:\n  people: any\n  where: {attribute: diagnosis, exists: true}\n"
	with := func(files ...string) map[string]string {
		out := map[string]string{"segments/firms.yaml": asks}
		for i := 0; i < len(files); i += 2 {
			out[files[i]] = files[i+1]
		}
		return out
	}
	if _, err := Load(write(t, with()), known); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"another kind": {with("segments/a.yaml", "of: account\nwhere: {people: any, where: {segment: firms}}\n"), `segments/a.yaml:2:29: segment firms is of kind account, and this asks about kind person; name one of kind person`},
		"nested": {with("segments/a.yaml", "of: person\nwhere: {accounts: none, where: {any: [{segment: b}]}}\n", "segments/b.yaml", "of: account\nwhere: {none: [{segment: firms}]}\n"),
			`segments/a.yaml:2:39: segment firms asks about people or accounts itself, and such conditions don't nest; one step, from accounts to people or back, is all there is`},
		"round": {with("segments/a.yaml", "of: person\nwhere: {accounts: any, where: {segment: b}}\n", "segments/b.yaml", "of: account\nwhere: {people: any, where: {segment: a}}\n"),
			`segments depend on each other: a → b → a`},
		"alike": {with("traits/near.yaml", "of: account\nscore:\n  lookalike: {segment: firms, features: [given_name]}\n"), `traits/near.yaml:3:14: segment firms asks about people or accounts, and members to be alike`},
	} {
		if _, err := Load(write(t, c.files), known); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	// what is asked about others is of the activation's special categories too
	for where, special := range map[string]bool{"{accounts: any, where: {none: [{attribute: diagnosis, exists: true}]}}": true, "{accounts: any, where: {attribute: given_name, exists: true}}": false} {
		p, err := Load(write(t, map[string]string{"segments/sick.yaml": "of: person\nwhere: " + where + "\n"}), known)
		if err != nil {
			t.Fatal(err)
		}
		if a, _ := p.Activation("sick"); slices.Contains(a.Categories, "health") != special {
			t.Errorf("%s: categories %v", where, a.Categories)
		}
	}
}
