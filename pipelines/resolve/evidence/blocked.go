package evidence

import (
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
	bare := v
	if strings.ContainsAny(v, marks) {
		bare = unmarked.Replace(v)
	}
	switch {
	case bare == "" || placeholders[bare]:
		return Placeholder
	case strings.Trim(bare, "0") == "":
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

// marks are what people write between the parts of a value.
const marks = " -_.+/()#:"

var unmarked = strings.NewReplacer(" ", "", "-", "", "_", "", ".", "", "+", "", "/", "", "(", "", ")", "", "#", "", ":", "")

func isPhone(kind string) bool {
	for _, part := range []string{"phone", "mobile", "tel", "msisdn", "fax"} {
		if strings.Contains(kind, part) {
			return true
		}
	}
	return false
}

// dull says that a phone's subscriber digits are all one or count up.
func dull(bare string) bool {
	if len(bare) < 7 {
		return false
	}
	tail := bare[len(bare)-7:]
	return strings.Trim(tail, tail[:1]) == "" ||
		strings.Contains("0123456789", tail) || strings.Contains("9876543210", tail)
}

func mailbox(of weir.Kind, local, domain string) Reason {
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	bare := separators.Replace(local)
	switch {
	case placeholders[bare] || placeholderMail[bare] || placeholderDomains[domain]:
		return Placeholder
	case strings.Trim(bare, "0") == "" || bare == "":
		return Zeros
	case of != weir.Account && roles[bare]:
		return SharedMailbox
	}
	return ""
}

var separators = strings.NewReplacer(".", "", "-", "", "_", "")

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
