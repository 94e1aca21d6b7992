package standard

import "github.com/weir-cdp/weir/pipelines/conform/companyid"

// Company is Text for a company's name, of which legal form, case and signs stay:
// comparison folds them (package pipelines/resolve/company).
func Company(s string, c *Context) (string, error) {
	s, err := Text(s, c)
	if blank(s) {
		return "", err
	}
	return s, err
}

// VAT, SIREN, SIRET and LEI check a company's numbers: see package companyid. A
// VAT number without a country's letters is one of the row's country.
func VAT(s string, c *Context) (string, error) {
	return checked(s, func(s string) (string, error) { return companyid.VAT(s, c.country()) })
}

// SIREN is companyid.SIREN.
func SIREN(s string, _ *Context) (string, error) { return checked(s, companyid.SIREN) }

// SIRET is companyid.SIRET.
func SIRET(s string, _ *Context) (string, error) { return checked(s, companyid.SIRET) }

// LEI is companyid.LEI.
func LEI(s string, _ *Context) (string, error) { return checked(s, companyid.LEI) }

func checked(s string, read func(string) (string, error)) (string, error) {
	if blank(s) {
		return "", nil
	}
	out, err := read(s)
	if err != nil {
		return "", Fault(err.Error())
	}
	return out, nil
}
