// Package companyid checks the numbers by which registers and tax offices know
// companies: SIREN, SIRET, VAT numbers, LEI.
//
// Each function takes a number as people write it, with spaces, dots and
// hyphens, and returns its one canonical spelling, or an error whose text names
// the fault and never the number. A number that passes is well formed; whether
// it was ever given to anybody only the register knows.
//
// # Sources
//
//   - SIREN, SIRET: INSEE, "Le numéro SIREN/SIRET", Luhn (ISO/IEC 7812-1), with
//     the establishments of La Poste by the sum of digits.
//   - VAT of the European Union: European Commission, DG TAXUD, "VIES: VAT
//     number construction rules", functional description 15.0, and where it
//     refers to national law, that law, named at the rule.
//   - VAT of the United Kingdom: HMRC, VATREC; of Switzerland: eCH-0108, UID;
//     of Norway: Brønnøysundregistrene, organisasjonsnummer.
//   - LEI: ISO 17442-1, check characters of ISO/IEC 7064 MOD 97-10.
//
// Invariants: a canonical number is given back as it is; the result depends on
// the arguments alone.
//
// The package is pure and imports golang.org/x/text only. Neighbour: package
// standard, which gives it the columns' values.
package companyid
