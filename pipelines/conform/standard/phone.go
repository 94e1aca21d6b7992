package standard

import (
	"errors"
	"github.com/nyaruka/phonenumbers"
)

const (
	errPhone       = Fault("a phone number cannot be read")
	errPhoneRegion = Fault("a phone number without a country code needs default_region")
	errPhoneValid  = Fault("there is no such phone number in its country's plan")
)

// unknownRegion is the phone library's name for "no default".
const unknownRegion = "ZZ"

// Phone reads a number as it is written in the row's country and returns E.164,
// without an extension. A number that its country's plan does not have is
// unusable.
func Phone(s string, c *Context) (string, error) {
	s, _ = Text(s, c)
	if s == "" || blank(s) {
		return "", nil
	}
	region := c.country()
	if region == "" {
		region = unknownRegion
	}
	if c.Phones == nil {
		return readPhone(s, region)
	}
	return c.Phones.read(s, region)
}

func readPhone(s, region string) (string, error) {
	n, err := phonenumbers.Parse(s, region)
	if errors.Is(err, phonenumbers.ErrInvalidCountryCode) && region == unknownRegion {
		return "", errPhoneRegion
	}
	if err != nil {
		return "", errPhone
	}
	if !phonenumbers.IsValidNumber(n) {
		return "", errPhoneValid
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// Phones remembers how numbers were read, for those that a row gives twice, as
// an identifier and as an attribute, and those that people share. Reading one
// costs as much as the rest of a row. It is used by one goroutine.
type Phones struct{ seen map[phoneText]phoneRead }

type phoneText struct{ text, region string }

type phoneRead struct {
	e164 string
	err  error
}

// rememberedPhones bounds the memory: past it all are forgotten.
const rememberedPhones = 4096

func (p *Phones) read(text, region string) (string, error) {
	key := phoneText{text, region}
	if r, ok := p.seen[key]; ok {
		return r.e164, r.err
	}
	if p.seen == nil || len(p.seen) >= rememberedPhones {
		p.seen = make(map[phoneText]phoneRead)
	}
	var r phoneRead
	r.e164, r.err = readPhone(text, region)
	p.seen[key] = r
	return r.e164, r.err
}
