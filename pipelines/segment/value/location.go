package value

import (
	"time"

	"github.com/weir-cdp/weir"
)

// Location returns the time zone of an IANA name, byDefault for "". The
// machine's own ("Local") is refused, because another machine has another.
func Location(name string, byDefault *time.Location) (*time.Location, error) {
	if name == "" {
		return byDefault, nil
	}
	if name == "Local" {
		return nil, weir.Errorf(weir.Invalid, "the time zone must be named").Then("write one such as Europe/Paris")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "there is no time zone %q: %w", name, err).Then("write one such as Europe/Paris")
	}
	return loc, nil
}
