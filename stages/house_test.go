package stages

import (
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// A run follows no definitions that somebody put in the place of those applied.
func TestDefinitionsAreThoseApplied(t *testing.T) {
	s := signing(t)
	key, err := s.Apply(t.Context(), s.project)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.House.project(t.Context(), key); err != nil || p.Digest() != s.project.Digest() || key != "projects/"+p.Digest()+".json" {
		t.Fatalf("%s %v", key, err)
	}
	b, err := s.store().ReadFile(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	s.overwrite(key, []byte(strings.Replace(string(b), "marketing.newsletter", "marketing.ads", 1)))
	if _, err := s.House.project(t.Context(), key); weir.CodeOf(err) != weir.Denied || !strings.Contains(err.Error(), "weir apply") {
		t.Errorf("%v", err)
	}
	if _, err := s.pass(weir.Decide, "", s.next()); weir.CodeOf(err) != weir.Denied {
		t.Errorf("a run follows them: %v", err)
	}
}
