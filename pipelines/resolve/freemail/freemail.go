package freemail

import (
	_ "embed"
	"strings"

	"golang.org/x/net/publicsuffix"
)

//go:embed domains.txt
var text string

var listed = func() map[string]bool {
	m := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		if line != "" && line[0] != '#' {
			m[line] = true
		}
	}
	return m
}()

// Has tells whether a registered domain, as conform's Domain writes it, is on the
// list.
func Has(domain string) bool {
	if strings.HasSuffix(domain, "*") {
		return false
	}
	if listed[domain] {
		return true
	}
	suffix, icann := publicsuffix.PublicSuffix(domain)
	name, ok := strings.CutSuffix(domain, "."+suffix)
	return ok && icann && listed[name+".*"]
}
