package standard

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

const (
	errDomainForm   = Fault("a domain cannot be read")
	errDomainIP     = Fault("a domain is an IP address")
	errDomainLocal  = Fault("a domain has no public ending")
	errDomainSuffix = Fault("a domain is an ending under which others register theirs")
)

// Domain returns the registered domain of a host, a web address or an e-mail
// address: lower case, international names in punycode (IDNA2008, UTS 46), the
// name below the public suffix (publicsuffix.org, of the version that
// golang.org/x/net has), without subdomains: "https://www.shop.acme.co.uk/a"
// gives "acme.co.uk". An IP address, a name of one label ("localhost"), an ending
// that no registry runs and an ending alone ("co.uk") are unusable.
func Domain(s string, _ *Context) (string, error) {
	s, _ = Text(s, nil)
	if s == "" || blank(s) {
		return "", nil
	}
	host := hostOf(s)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return "", errDomainIP
	}
	host, err := hosts.ToASCII(strings.TrimSuffix(host, "."))
	if err != nil || host == "" || strings.Trim(host, ".0123456789") == "" {
		return "", errDomainForm
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	switch {
	case !icann && !strings.Contains(suffix, "."):
		return "", errDomainLocal
	case suffix == host && icann:
		return "", errDomainSuffix
	case suffix == host: // of a company that lets others register below its own name
		return host, nil
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return "", errDomainForm
	}
	return registered, nil
}

// hosts maps names as browsers do and refuses what the DNS would.
var hosts = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// hostOf cuts the host out of a web or e-mail address.
func hostOf(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "//")
	if i := strings.IndexAny(s, "/?#\\"); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') && strings.Count(s, ":") == 1 {
		s = s[:i]
	}
	return s
}
