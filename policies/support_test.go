package policies

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func mustLoad(t testing.TB, dir string) *Gate {
	t.Helper()
	g, err := Load(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// bundleWith writes a copy of the built-in policy; each change is "path", old,
// new: an empty old writes the file anew.
func bundleWith(t testing.TB, changes ...[3]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, Builtin()); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		p := filepath.Join(dir, c[0])
		text := c[2]
		if c[1] != "" {
			b, err := os.ReadFile(p)
			if err != nil || !strings.Contains(string(b), c[1]) {
				t.Fatalf("%s does not hold %q: %v", c[0], c[1], err)
			}
			text = strings.ReplaceAll(string(b), c[1], c[2])
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(p)
		if err := os.WriteFile(p, []byte(text), fs.FileMode(0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// denyFile is a rule file for tests.
func denyFile(body string) string {
	return "package consent.deny\n\nimport future.keywords.not\n\n" + body + "\n"
}

// good is an input that is allowed on consent.
func good() Input {
	return Input{
		Activation:  Activation{Channel: "email", Device: No, Effect: "none", HumanReview: No, Purpose: "marketing.newsletter"},
		Consent:     Consent{AgeDays: DaysOf(30), Explicit: No, Guardian: No, Proof: Yes, Status: StatusGranted},
		Controller:  Controller{Charity: No, Minors: No},
		Destination: Destination{Country: "FR", DPA: Yes, Google: No, TCF: No, Kind: "esp", Mechanism: "adequacy", Purposes: ListOf("marketing.newsletter", "service.transactional", "service.security"), Role: "processor", Transfer: "none"},
		Subject: Subject{AgeBand: Adult, Erasure: ErasureNone, GPC: No, InactiveDays: DaysOf(3), Jurisdictions: "FR", Objected: No, OptedOut: No, Restricted: No,
			Customer: No, LimitSensitive: No, OptOutOffered: No, OptedOutAds: No, OptedOutProfiling: No, Suppressed: NotSuppressed, SuppressedElsewhere: No},
	}
}

func question() Question {
	return Question{
		Run: weir.Run{Workspace: "shop", ID: "20260601T120000Z-a", Now: now},
		Activation: weir.ActivationDef{Name: "lapsed_vip", Segment: "lapsed_vip", Destination: "newsletter", Purpose: "marketing.newsletter", Channel: "email",
			Key: "email", Fields: map[string]string{"email": "email", "first_name": "given_name"}},
		Destination: weir.Privacy{Role: "processor", Kind: "esp", Transfer: "none", Country: "FR", Mechanism: "adequacy", DPA: true, Purposes: []string{"marketing.newsletter"}},
		Subject:     weir.SubjectDef{Jurisdiction: []string{"attribute.country", "consent.jurisdiction"}, Region: []string{"attribute.state"}, BirthDate: []string{"attribute.birth_date"}},
	}
}

// candidate is a row that is allowed, with consent of that age.
func candidate(profile string, days int) Candidate {
	in := good()
	in.Consent.AgeDays = DaysOf(days)
	return Candidate{ProfileID: profile, Subject: in.Subject, Consent: in.Consent, GivenAt: now.AddDate(0, 0, -days)}
}

func decider(t testing.TB, g *Gate, q Question) *Decider {
	t.Helper()
	d, err := g.Decider(q)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
