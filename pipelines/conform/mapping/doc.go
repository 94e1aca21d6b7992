// Package mapping compiles a stream's mapping: which column, or which CEL
// expression over the columns, gives each identifier, attribute, property and
// field.
//
// A value that is a column's name is that column and never passes through CEL.
// Anything else is CEL with these differences from the standard language:
//
//   - a column is a variable of its type, a dotted name included (traits.email);
//     row["any name"] reaches columns whose names are no identifiers or reserved
//     words; the part before a dot is a map of what is there, so that
//     has(traits.email) works and a name that no row has yet is null;
//   - a missing value is null, and what is computed from null is null, an error
//     that a null causes included; null == null is true; an absent key is null;
//   - decimals are exact: decimal("1.10"), columns of decimal type, and + - * /
//     and comparisons of decimals with int, double and each other (a quotient has
//     16 decimals); int with double gives double, and int / int is CEL's, without
//     a remainder;
//   - lower, upper, trim, split, replace, coalesce, date, datetime, hash and
//     parse_json, beside cel-go's string extensions.
//
// The evaluation of an expression with loops is bounded by a cost limit.
//
// The package is pure: rows reach it through Row, and it knows nothing of Arrow.
package mapping
