package project

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	rateNumber   = regexp.MustCompile(`^(0|[1-9]\d{0,8})(\.\d{1,18})?$`)
)

// rates reads rates.yaml: what one unit of a currency is worth in the workspace's,
// always or from a day on.
func (l *loader) rates(r *reader, _ string, root *yaml.Node) {
	r.each(root, func(k, v *yaml.Node) {
		code := k.Value
		if !currencyCode.MatchString(code) {
			r.problem(k, "three capital letters, such as USD", "%q is no currency", code)
		}
		if code == l.p.Currency {
			r.problem(k, "remove it", "%s is the workspace's own currency", code)
		}
		add := func(from string, n *yaml.Node) {
			var rate string
			r.text(&rate)(n)
			if !rateNumber.MatchString(rate) || strings.Trim(rate, "0.") == "" {
				r.problem(n, "write a number such as 0.92", "%q is no rate", rate)
			}
			l.p.Rates = append(l.p.Rates, weir.Rate{Currency: code, From: from, Rate: rate})
		}
		if v.Kind != yaml.MappingNode {
			add("", v)
			return
		}
		r.each(v, func(day, n *yaml.Node) {
			if _, err := time.Parse(time.DateOnly, day.Value); err != nil {
				r.problem(day, "write a day such as 2026-01-31", "%q is no day", day.Value)
			}
			add(day.Value, n)
		})
	})
	slices.SortFunc(l.p.Rates, func(a, b weir.Rate) int {
		return cmp.Or(strings.Compare(a.Currency, b.Currency), strings.Compare(a.From, b.From))
	})
}

// amounts are properties that hold money, by the names that shops give them.
var amounts = []string{"revenue", "total", "subtotal", "amount", "price", "unit_price", "value", "discount", "tax", "shipping", "refund"}

// unsaidCurrency says whether amounts of several currencies could be added: the
// sources map a currency, and the definition doesn't say how to take it.
func (l *loader) unsaidCurrency(how, field, currency string) bool {
	property, ok := strings.CutPrefix(field, "properties.")
	if !ok || currency != "" || (how != "sum" && how != "avg") || !slices.Contains(amounts, property) {
		return false
	}
	for _, s := range l.p.Sources {
		for _, stream := range s.Streams {
			if _, mapped := stream.Mapping.Properties["currency"]; mapped {
				return true
			}
		}
	}
	return false
}

const sayCurrency = "add currency: properties.currency, or currency: none where all are of one"
