package policies

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// Each mistake in a data file is told with file and line by Check, and no gate is
// made of it: it would deny everybody without a word.
func TestMistakesInDataAreRefused(t *testing.T) {
	const retention, newsletter = "data/retention.yaml", "marketing.newsletter: {consent_max_age_days: 730"
	for name, c := range map[string]struct {
		change [3]string
		says   []string
	}{
		"unknown purpose":      {[3]string{retention, "marketing.newsletter:", "marketing.newsleter:"}, []string{"data/retention.yaml:", "did you mean marketing.newsletter?"}},
		"text for a number":    {[3]string{retention, newsletter, "marketing.newsletter: {consent_max_age_days: many"}, []string{"data/retention.yaml:", "consent_max_age_days is no integer: many"}},
		"quoted number":        {[3]string{retention, newsletter, `marketing.newsletter: {consent_max_age_days: "730"`}, []string{"is no integer"}},
		"misspelt key":         {[3]string{retention, newsletter, "marketing.newsletter: {consent_max_age_day: 30"}, []string{"did you mean consent_max_age_days?"}},
		"no time at all":       {[3]string{retention, newsletter, "marketing.newsletter: {consent_max_age_days: 0"}, []string{"is 0, less than 1"}},
		"negative":             {[3]string{retention, newsletter, "marketing.newsletter: {consent_max_age_days: -5"}, []string{"less than 1"}},
		"beyond a century":     {[3]string{retention, newsletter, "marketing.newsletter: {consent_max_age_days: 73000000"}, []string{"more than"}},
		"no map":               {[3]string{retention, "", "marketing.newsletter: 730\n"}, []string{"data/retention.yaml:1", "is not keys with values"}},
		"a list":               {[3]string{retention, "", "[730]\n"}, []string{"data/retention.yaml"}},
		"emptied":              {[3]string{retention, "", "# nothing\n"}, []string{"data/retention.yaml:1", "the file is empty"}},
		"misspelt file":        {[3]string{"data/retntion.yaml", "", "marketing.newsletter: {consent_max_age_days: 9}\n"}, []string{"data/retntion.yaml:1", "did you mean retention?"}},
		"unknown basis":        {[3]string{"data/purposes.yaml", "title: The newsletter, kind: marketing, bases: [consent]", "title: The newsletter, kind: marketing, bases: [consnt]"}, []string{"did you mean consent?"}},
		"unknown kind":         {[3]string{"data/purposes.yaml", "title: The newsletter, kind: marketing", "title: The newsletter, kind: marketting"}, []string{"did you mean marketing?"}},
		"purpose without kind": {[3]string{"data/purposes.yaml", "title: The newsletter, kind: marketing,", "title: The newsletter,"}, []string{"has no kind"}},
		"place without regime": {[3]string{"data/jurisdictions.yaml", "name: Norway, regime: eu", "name: Norway"}, []string{"data/jurisdictions.yaml:", "has no regime"}},
		"broken declaration":   {[3]string{shapesPath, "minimum:", "minimun:"}, []string{"schemas/data.yaml:", "minimun"}},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, bundleWith(t, c.change), c.says) })
	}
	t.Run("file deleted", func(t *testing.T) {
		dir := bundleWith(t)
		if err := os.Remove(filepath.Join(dir, retention)); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, dir, []string{"data/retention.yaml", "the file is missing"})
	})
	t.Run("folder older than the declaration", func(t *testing.T) {
		dir := bundleWith(t, [3]string{retention, newsletter, "marketing.newsletter: {consent_max_age_day: 30"}, [3]string{"data/own.yaml", "", "a: 1\n"})
		if err := os.Remove(filepath.Join(dir, shapesPath)); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, dir, []string{"did you mean consent_max_age_days?"})
	})
}

func wantRefused(t *testing.T, dir string, says []string) {
	t.Helper()
	problems, err := Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	_, err = Load(context.Background(), Options{Dir: dir})
	if weir.CodeOf(err) != weir.Invalid {
		t.Fatalf("a gate is made, or the error is no invalid policy: %v", err)
	}
	for _, want := range says {
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("check lacks %q:\n%s", want, strings.Join(all, "\n"))
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("load lacks %q:\n%v", want, err)
		}
	}
}

// Each data file of the built-in policy is declared, and a purpose that is added
// with its own limits is no mistake.
func TestDataOfTheBundleIsDeclared(t *testing.T) {
	f, err := read(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	shapes, own, err := f.declared()
	if err != nil || !own {
		t.Fatal(own, err)
	}
	for _, name := range sorted(f.data) {
		if _, ok := shapes[name]; !ok {
			t.Errorf("data/%s.yaml is not declared in %s", name, shapesPath)
		}
	}
	dir := bundleWith(t, [3]string{"data/purposes.yaml", "fundraising:", "marketing.sms_deals: {title: Deals, kind: marketing, bases: [consent]}\nfundraising:"},
		[3]string{"data/retention.yaml", "fundraising:", "marketing.sms_deals: {consent_max_age_days: 30}\nfundraising:"})
	if problems, err := Check(dir); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
