package evidence

import (
	"bytes"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/freemail"
)

// Reason says why a value is worth nothing; "" where it is worth something.
type Reason string

// The reasons.
const (
	Configured    Reason = "configured"     // identity.yaml's `blocked`
	Placeholder   Reason = "placeholder"    // written where nothing is known
	Zeros         Reason = "zeros"          // only zeros
	Repeated      Reason = "repeated"       // a phone of one digit, or counting up
	SharedMailbox Reason = "shared_mailbox" // a role's address, not a person's
	FreeMail      Reason = "free_mail"      // a domain of which everybody can have a mailbox
	Contradicted  Reason = "contradicted"   // a record holds more than the hard limit
)

// Worthless says why a standardised value of an identifier tells of nobody by the
// built-in lists alone; "" where it may.
func Worthless(of weir.Kind, kind, value string) Reason { return new(identifier).why(of, kind, value) }

// why says why a standardised value links nothing.
func (id *identifier) why(of weir.Kind, kind, value string) Reason {
	for _, re := range id.blocked {
		if re.MatchString(value) {
			return Configured
		}
	}
	v := strings.ToLower(strings.TrimSpace(value))
	var buf [64]byte
	bare := appendWithoutAny(buf[:0], v, &marks)
	switch {
	case len(bare) == 0 || placeholders[string(bare)]:
		return Placeholder
	case len(bytes.Trim(bare, "0")) == 0:
		return Zeros
	}
	if i := strings.LastIndexByte(v, '@'); i >= 0 {
		return mailbox(of, v[:i], v[i+1:])
	}
	if weir.IsDomain(kind) && (freemail.Has(v) || id.free[v]) {
		return FreeMail
	}
	if isPhone(kind) && dull(bare) {
		return Repeated
	}
	return ""
}

// marks are what people write between the parts of a value, separators what stands
// between the words of a mailbox's name.
var marks, separators = characters(" -_.+/()#:"), characters(".-_")

func characters(of string) (set [256]bool) {
	for i := 0; i < len(of); i++ {
		set[of[i]] = true
	}
	return set
}

func appendWithoutAny(b []byte, s string, drop *[256]bool) []byte {
	for i := 0; i < len(s); i++ {
		if !drop[s[i]] {
			b = append(b, s[i])
		}
	}
	return b
}

func isPhone(kind string) bool {
	for _, part := range []string{"phone", "mobile", "tel", "msisdn", "fax"} {
		if strings.Contains(kind, part) {
			return true
		}
	}
	return false
}

// dull says that a phone's subscriber digits are all one or count up.
func dull(bare []byte) bool {
	if len(bare) < 7 {
		return false
	}
	tail := bare[len(bare)-7:]
	same := true
	for _, c := range tail {
		same = same && c == tail[0]
	}
	return same || strings.Contains("0123456789", string(tail)) || strings.Contains("9876543210", string(tail))
}

func mailbox(of weir.Kind, local, domain string) Reason {
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	var buf [64]byte
	bare := appendWithoutAny(buf[:0], local, &separators)
	switch {
	case placeholders[string(bare)] || placeholderMail[string(bare)] || placeholderDomains[domain]:
		return Placeholder
	case len(bytes.Trim(bare, "0")) == 0:
		return Zeros
	case of != weir.Account && roles[string(bare)]:
		return SharedMailbox
	}
	return ""
}

// The lists hold values without spaces and punctuation. They are short on
// purpose: what a company invents goes to `blocked`, what the data shows is
// found as a hub.
var (
	placeholders = set("na nan nil none null unknown undefined anonymous anon guest test tbd todo missing empty void default " +
		"notavailable notapplicable notprovided noname noid nophone nonumber x xx xxx xxxx ? ?? ??? " +
		"inconnu aucun nc nr unbekannt keine desconocido sconosciuto nessuno onbekend [object object] [objectobject] true false")
	placeholderMail = set("noemail nomail nonemail noaddress nobody fake dummy invalid asdf qwerty aaa abc test1 test123 testtest " +
		"sansmail pasdemail pasdadresse keineemail")
	placeholderDomains = set("example.com example.org example.net test.com test.test none.com none.none noemail.com nomail.com " +
		"noreply.com invalid localhost mailinator.com email.invalid domain.com")
	roles = set("noreply donotreply nepasrepondre info infos contact contacts contactus hello bonjour office admin administrator " +
		"administration sales support help helpdesk service services kundenservice customerservice webmaster postmaster hostmaster " +
		"abuse root mailerdaemon newsletter marketing press jobs hr rh careers billing invoice invoices accounting accounts compta " +
		"comptabilite accueil reception secretariat kontakt mail email team orders order shop store reservation reservations " +
		"booking commercial direction")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
