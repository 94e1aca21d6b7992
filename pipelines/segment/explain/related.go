package explain

import "github.com/weir-cdp/weir"

// related prints how many people of an account, or accounts of a person, have to
// fit; what fits stands below.
func related(r *weir.Related) string {
	who := "accounts"
	if r.Kind == weir.Person {
		who = "people"
	}
	if r.Where == nil {
		switch r.How {
		case "":
			return "number of its " + who + " " + comparisons(r.Count)
		case "none":
			return "it has no " + who
		}
		return "it has " + who
	}
	switch r.How {
	case "any":
		return "at least one of its " + who + " fits this"
	case "all":
		return "it has " + who + ", and all of them fit this"
	case "none":
		return "none of its " + who + " fits this"
	}
	return "number of its " + who + " that fit this " + comparisons(r.Count)
}
