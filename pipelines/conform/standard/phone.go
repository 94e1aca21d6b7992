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
