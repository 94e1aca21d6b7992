package arch

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// roomOf prefers a room that names the package over one with a pattern.
func roomOf(dir string) (room, bool) {
	for _, exact := range []bool{true, false} {
		for _, r := range rooms {
			if exact == (r.path == dir) && matches(r.path, dir) {
				return r, true
			}
		}
	}
	return room{}, false
}

// offences lists imports of a file that its room does not allow.
func offences(r room, dir string, f source) []string {
	list := r.may
	if f.isTest() {
		own := "@/" + dir + "/..."
		if dir == "." {
			own = "@"
		}
		list = slices.Concat(r.may, r.tests, testLibraries, []string{own})
	}
	var bad []string
	for _, i := range f.imports {
		if !standard(i) && !r.open && !allowed(list, i) {
			bad = append(bad, i)
		}
	}
	return bad
}

func TestRoomsImportWhatTheyMay(t *testing.T) {
	for _, p := range packages(t) {
		r, ok := roomOf(p.path)
		if !ok {
			t.Errorf("%s is in no room: add it to rooms_test.go, with a reason", p.path)
			continue
		}
		for _, f := range p.files {
			for _, i := range offences(r, p.path, f) {
				t.Errorf("%s imports %s. %s: %s", f.name, i, r.path, r.why)
			}
		}
	}
}

// TestRulesBite shows that the table is not empty talk.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct{ dir, file, imported string }{
		{".", "x.go", "github.com/shopspring/decimal"},
		{"workflows", "x.go", module + "/lakehouse"},
		{"activities", "x.go", module + "/stages"},
		{"pipelines/resolve/cluster", "x.go", "github.com/apache/beam/sdks/v2/go/pkg/beam"},
		{"pipelines/resolve/cluster", "x.go", module + "/lakehouse/rowfile"},
		{"pipelines/resolve", "x.go", "github.com/apache/beam/sdks/v2/go/pkg/beam"},
		{"policies/permit", "x.go", "github.com/open-policy-agent/opa/v1/rego"},
		{"connectors/webhook", "x.go", module + "/connectors/files"},
		{"connectors/webhook", "x_test.go", module + "/lakehouse"},
		{"stages", "x.go", module + "/connectors/postgres"},
		{"stages", "x.go", "go.temporal.io/sdk/client"},
		{"lakehouse", "x.go", "github.com/duckdb/duckdb-go/v2"},
	} {
		r, ok := roomOf(c.dir)
		if !ok || len(offences(r, c.dir, source{name: path.Join(c.dir, c.file), imports: []string{c.imported}})) == 0 {
			t.Errorf("%s/%s may import %s, or has no room", c.dir, c.file, c.imported)
		}
	}
}

func TestRoomsSayWhyAndExist(t *testing.T) {
	for _, r := range rooms {
		if r.why == "" {
			t.Errorf("%s has no reason", r.path)
		}
		if !slices.ContainsFunc(packages(t), func(p pkg) bool { return matches(r.path, p.path) }) {
			t.Errorf("there is no package for the room %s: remove it", r.path)
		}
	}
}

func TestNothingImportsOpenRooms(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.files {
			for _, i := range f.imports {
				dir, ours := within(i)
				if !ours || dir == p.path {
					continue
				}
				r, _ := roomOf(dir)
				from, _ := roomOf(p.path)
				support := f.isTest() && allowed(from.tests, i)
				if r.open && !from.open && !support {
					t.Errorf("%s imports %s, which nothing imports (%s)", f.name, dir, r.why)
				}
			}
		}
	}
}

func TestEnginesStayInTheirRooms(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.files {
			for _, i := range f.imports {
				for _, e := range engines {
					if strings.HasPrefix(i, e.prefix) && !matchesAny(e.rooms, p.path) {
						t.Errorf("%s imports %s, which stays in %s: %s", f.name, i, strings.Join(e.rooms, ", "), e.why)
					}
				}
			}
		}
	}
}

// TestRoomsApart follows imports through third packages.
func TestRoomsApart(t *testing.T) {
	next := map[string][]string{}
	for _, p := range packages(t) {
		for _, f := range p.files {
			for _, i := range f.imports {
				if dir, ours := within(i); ours && !f.isTest() {
					next[p.path] = append(next[p.path], dir)
				}
			}
		}
	}
	for _, rule := range apart {
		for _, p := range packages(t) {
			if !matchesAny(rule.from, p.path) || testSupport(p.path) {
				continue
			}
			if way := wayTo(next, p.path, rule.to); way != nil {
				t.Errorf("%s: %s", strings.Join(way, " → "), rule.why)
			}
		}
	}
}

// wayTo is the shortest chain of imports to one of the targets, or nil.
func wayTo(next map[string][]string, from string, to []string) []string {
	cameFrom, queue := map[string]string{from: ""}, []string{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at != from && slices.Contains(to, at) {
			var way []string
			for at != "" {
				way = append([]string{at}, way...)
				at = cameFrom[at]
			}
			return way
		}
		for _, n := range next[at] {
			if _, seen := cameFrom[n]; !seen {
				cameFrom[n] = at
				queue = append(queue, n)
			}
		}
	}
	return nil
}

// testSupport packages are called <thing>test: only tests may import them.
func testSupport(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") && dir != "test" }

func TestTestSupportStaysInTests(t *testing.T) {
	found := 0
	for _, p := range packages(t) {
		for _, f := range p.files {
			for _, i := range f.imports {
				dir, ours := within(i)
				if !ours || !testSupport(dir) {
					continue
				}
				found++
				if !f.isTest() && !testSupport(p.path) && !strings.HasPrefix(p.path, "test/") {
					t.Errorf("%s imports %s, which only tests may", f.name, dir)
				}
			}
		}
	}
	if found == 0 {
		t.Error("nothing imports test support: the check is wrong")
	}
}
