package derive

import (
	"slices"

	"github.com/weir-cdp/weir"
)

// Order sorts definitions so that each comes after those that it reads; others
// keep their order. circles holds, for each definition that depends on itself,
// the way round, both ends included; those are left out of the order.
func Order(defs []weir.TraitDef) (order []weir.TraitDef, circles map[string][]string) {
	byName := make(map[string]*weir.TraitDef, len(defs))
	for i := range defs {
		byName[defs[i].Name] = &defs[i]
	}
	circles = map[string][]string{}
	for i := range defs {
		if way := circle(defs[i].Name, byName); way != nil {
			circles[defs[i].Name] = way
		}
	}
	placed := map[string]bool{}
	var place func(d *weir.TraitDef)
	place = func(d *weir.TraitDef) {
		if placed[d.Name] || circles[d.Name] != nil {
			return
		}
		placed[d.Name] = true
		traits, _ := d.Reads()
		for _, n := range traits {
			if below := byName[n]; below != nil {
				place(below)
			}
		}
		order = append(order, *d)
	}
	for i := range defs {
		place(&defs[i])
	}
	return order, circles
}

// circle returns the shortest way from a trait over what it reads back to itself.
func circle(name string, defs map[string]*weir.TraitDef) []string {
	came := map[string]string{}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		d := defs[queue[0]]
		if d == nil {
			continue
		}
		traits, _ := d.Reads()
		for _, next := range traits {
			if next == name {
				way := []string{name}
				for at := queue[0]; at != name; at = came[at] {
					way = append(way, at)
				}
				way = append(way, name)
				slices.Reverse(way)
				return way
			}
			if _, seen := came[next]; !seen {
				came[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}
