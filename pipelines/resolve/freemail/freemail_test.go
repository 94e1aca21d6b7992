package freemail

import (
	"sort"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/pipelines/conform/standard"
)

func TestHas(t *testing.T) {
	for _, d := range []string{"gmail.com", "yahoo.com", "yahoo.co.uk", "hotmail.fr", "outlook.de", "web.de", "orange.fr", "libero.it", "qq.com", "gmx.net", "mailinator.com", "comcast.net", "naver.com"} {
		if !Has(d) {
			t.Errorf("%s is not known", d)
		}
	}
	for _, d := range []string{"", "com", "co.uk", "acme.com", "notgmail.com", "gmail.com.acme.com", "yahoo.github.io", "yahoo", "yahoo.*", "myyahoo.com", "live.events", "#"} {
		if Has(d) {
			t.Errorf("%q is known", d)
		}
	}
}

// Each line is what conform makes of it, once, in order: another spelling would
// never be found.
func TestListIsCanonical(t *testing.T) {
	var lines []string
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if len(lines) < 1000 {
		t.Fatalf("%d lines only", len(lines))
	}
	for i, line := range lines {
		if i > 0 && line <= lines[i-1] {
			t.Errorf("%s stands after %s", line, lines[i-1])
		}
		if name, ok := strings.CutSuffix(line, ".*"); ok {
			line = name + ".com"
		}
		if got, err := standard.Domain(line, nil); err != nil || got != line {
			t.Errorf("%s is %q to conform, %v", line, got, err)
		}
	}
	if !sort.StringsAreSorted(lines) {
		t.Error("not sorted")
	}
}
