package standard

import (
	"strings"

	"github.com/weir-cdp/weir"
)

// The common vocabulary: attributes whose name says what they hold. An attribute
// that is not listed follows its declared type.
var vocabulary = map[string]Func{
	"email": Email, "phone": Phone, "mobile": Phone, "fax": Phone,
	"given_name": Name, "first_name": Name, "middle_name": Name, "family_name": Name, "last_name": Name,
	"full_name": Name, "name": Name, "maiden_name": Name, "company": Company, "company_name": Company, "legal_name": Company, "trade_name": Company, "job_title": Text,
	"domain": Domain, "siren": SIREN, "siret": SIRET, "vat": VAT, "vat_number": VAT, "lei": LEI,
	"birth_date": BirthDate, "date_of_birth": BirthDate,
	"country": Country, "postcode": Postcode, "postal_code": Postcode, "zip": Postcode,
	"city": Name, "street": Text, "state": State, "region": State,
	"gender": Gender, "language": Language, "locale": Language,
}

var byType = map[weir.AttributeType]Func{
	weir.Text: value, "": value, weir.Number: Number, weir.Date: Date, weir.Instant: Time, weir.Boolean: Bool,
}

// value is Text for what has no name of the vocabulary: spellings of "unknown"
// stay, they may be values here.
func value(s string, c *Context) (string, error) { return Text(s, c) }

// Attribute returns the standardiser of an attribute. A declared type other than
// text wins over the name, except that a date named birth_date is a birth date.
func Attribute(name string, t weir.AttributeType) Func {
	f, known := vocabulary[name]
	switch {
	case known && (t == weir.Text || t == ""):
		return f
	case known && t == weir.Date && (name == "birth_date" || name == "date_of_birth"):
		return BirthDate
	}
	if f := byType[t]; f != nil {
		return f
	}
	return value
}

// Identifier returns the standardiser of an identifier's kind: e-mail addresses,
// phones, domains and companies' numbers (also with a prefix: work_email) as such,
// all others as text.
func Identifier(kind string) Func {
	switch {
	case weir.IsEmail(kind):
		return Email
	case kind == "phone" || kind == "mobile" || strings.HasSuffix(kind, "_phone"):
		return Phone
	case weir.IsDomain(kind):
		return Domain
	}
	for _, name := range []string{"siren", "siret", "vat", "vat_number", "lei"} {
		if kind == name || strings.HasSuffix(kind, "_"+name) {
			return vocabulary[name]
		}
	}
	return identifier
}

// identifier is Text without the spellings of "nothing", which would join
// strangers.
func identifier(s string, c *Context) (string, error) {
	s, err := Text(s, c)
	if blank(s) {
		return "", err
	}
	return s, err
}
