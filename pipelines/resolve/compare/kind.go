package compare

import "slices"

// Kind is how the values of one column are compared.
type Kind uint8

// The kinds, by the names that identity.yaml uses.
const (
	Exact Kind = iota
	Name
	Date
	Text
	Email
	Phone
	Postcode
	Place
	Number
	Company
	kinds
)

var kindNames = [kinds]string{"exact", "name", "date", "text", "email", "phone", "postcode", "place", "number", "company"}

// String returns the name in identity.yaml.
func (k Kind) String() string {
	if k >= kinds {
		return "unknown"
	}
	return kindNames[k]
}

// KindOf finds a kind by its name.
func KindOf(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(max(i, 0)), i >= 0
}

// Kinds lists all names.
func Kinds() []string { return slices.Clone(kindNames[:]) }

// Level is a place in Levels of a kind; Missing where a value is not there.
type Level uint8

// Missing: one of the values is not there. It is no evidence.
const Missing Level = 15

// Agree is the first level of every kind: equal values.
const Agree Level = 0

// Levels of names.
const (
	NameExact   Level = iota
	NamePart          // the words of one are among the words of the other
	NameSwapped       // given and family name are in each other's place
	NameNickname
	NameNear // one slip, or Jaro-Winkler at least 0.92
	NamePhonetic
	NameInitial // one is the first letter of the other
	NameClose   // Jaro-Winkler at least 0.80
	NameDiffer
)

// Levels of dates.
const (
	DateExact   Level = iota
	DateSwapped       // day and month in each other's place
	DateSlip          // one digit, or two neighbouring digits exchanged
	DateParts         // two of year, month and day are equal
	DateYear          // less than a year apart
	DateDecade        // less than ten years apart
	DateDiffer
)

// Levels of e-mail addresses.
const (
	EmailExact Level = iota
	EmailSlip        // one edit
	EmailLocal       // the part before the @ is equal
	EmailNear        // the part before the @ is alike: Jaro-Winkler at least 0.92
	EmailDiffer
)

// Levels of phones and numbers.
const (
	SlipExact Level = iota
	SlipOne         // one edit
	SlipDiffer
)

// Levels of postcodes.
const (
	PostcodeExact    Level = iota
	PostcodeSlip           // one edit
	PostcodeSector         // all but the last two characters
	PostcodeDistrict       // the first two characters
	PostcodeDiffer
)

// Levels of text and places.
const (
	TextExact Level = iota
	TextNear        // one slip, or Jaro-Winkler at least 0.92
	TextWords       // most words are shared
	TextClose       // Jaro-Winkler at least 0.82
	TextDiffer
)

// Levels of company names, without their legal forms.
const (
	CompanyExact    Level = iota
	CompanyOrder          // the same words in another order
	CompanyMore           // one word more, the rest equal in any order
	CompanyNear           // one slip, or Jaro-Winkler at least 0.92
	CompanyInitials       // one is the initials of the other
	CompanyWords          // most words of both are shared
	CompanyClose          // Jaro-Winkler at least 0.82
	CompanyDiffer
)

// Levels of exact comparison.
const (
	ExactAgree Level = iota
	ExactDiffer
)

var levelNames = [kinds][]string{
	Exact:    {"exact", "differ"},
	Name:     {"exact", "part", "swapped", "nickname", "near", "phonetic", "initial", "close", "differ"},
	Date:     {"exact", "day and month swapped", "one digit", "two parts", "within a year", "within ten years", "differ"},
	Text:     {"exact", "near", "words", "close", "differ"},
	Email:    {"exact", "one edit", "local part", "local part near", "differ"},
	Phone:    {"exact", "one edit", "differ"},
	Postcode: {"exact", "one edit", "sector", "district", "differ"},
	Place:    {"exact", "near", "words", "close", "differ"},
	Number:   {"exact", "one edit", "differ"},
	Company:  {"exact", "other order", "one word more", "near", "initials", "words", "close", "differ"},
}

// Levels names the levels of a kind, the strongest agreement first and "differ"
// last. The slice is shared: don't change it.
func Levels(k Kind) []string {
	if k >= kinds {
		return nil
	}
	return levelNames[k]
}
