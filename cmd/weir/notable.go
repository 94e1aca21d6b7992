package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/workflows"
)

var (
	lost     = regexp.MustCompile(`(^|[._])(withheld|quarantined|rejected|failed|stopped|unknown|refused|dropped|lost|standing|no_key|not_numbers)([._]|$)`)
	internal = regexp.MustCompile(`^(classes|decisions|evaluations|index_entries|index_skipped|index_parts|events_indexed|blocks_touched|anchors_touched|values_touched|records_touched)$`)
)

// plain says what a count counts; a name that is not here says it itself.
var plain = map[string]string{
	"blocked_configured":        "identifier values blocked in identity.yaml",
	"blocked_free_mail":         "free mail domains that link nobody",
	"blocked_shared_mailbox":    "shared mailboxes that link nobody",
	"classes":                   "kinds of cases that the policy tells apart",
	"components_doubted":        "groups of records where evidence contradicts",
	"computed":                  "profiles computed",
	"components_rebuilt":        "groups of records put together anew",
	"decisions_idle":            "decisions of people that wait for their records",
	"edges_refused":             "links refused",
	"edges_used":                "links used",
	"entered":                   "entered a segment",
	"evaluations":               "times that the policy was asked",
	"events_later":              "events later than the run's now",
	"events_unowned":            "events of nobody known",
	"events_unread":             "events that no segment or trait asks about",
	"events_without_identifier": "events without an identifier",
	"exited":                    "left a segment",
	"filtered":                  "left out by where",
	"hubs":                      "values shared by too many to link",
	"hubs_anonymous":            "values shared by too many anonymous profiles to link",
	"identifiers_ambiguous":     "identifiers of several profiles",
	"increment":                 "computed from what changed",
	"index_entries":             "entries of the index for the next run",
	"kept":                      "profiles as before, nothing having happened to them",
	"over_soft_limit":           "profiles over an identifier's limit",
	"people_of_accounts":        "people who belong to accounts",
	"profiles_account":          "accounts",
	"profiles_anonymous":        "anonymous profiles",
	"profiles_person":           "persons",
	"profiles_gone":             "profiles that are gone",
	"restrictions_kept":         "restrictions kept though their row is gone",
	"scores_refused":            "scores that can't be learned",
	"segments_broken":           "broken segments",
	"still_quarantined":         "quarantined before",
	"unlinkable":                "records with nothing to compare",
	"values_not_numbers":        "values that are no numbers",
	"withheld":                  "rows withheld",
}

// plainly says what a count of a stage counts. Of the gate it is one activation's,
// and the codes of reasons go with the titles that their rules have in METADATA.
func plainly(s weir.Stage, name string, rules []policies.Rule) string {
	if words, ok := plain[name]; ok {
		return words
	}
	if why, ok := strings.CutPrefix(name, "full_because_"); ok {
		return "computed in full (" + strings.ReplaceAll(why, "_", " ") + ")"
	}
	activation, of, found := strings.Cut(name, ".")
	if !found {
		return strings.ReplaceAll(name, "_", " ")
	}
	if s != weir.Decide {
		return activation + " " + strings.ReplaceAll(of, ".", " ")
	}
	for _, r := range rules {
		if r.Code == of {
			return activation + " " + of + " (" + r.Title + ")"
		}
	}
	switch of {
	case "allow":
		of = "allowed"
	case "deny":
		of = "denied"
	case "no_key":
		of = "without a value for the key"
	}
	return activation + " " + strings.ReplaceAll(of, ".", " ")
}

// interest ranks a count, the most telling first.
func interest(s weir.Stage, name string) int {
	_, of, activation := strings.Cut(name, ".")
	switch {
	case s == weir.Decide && activation && of != "allow" && of != "no_key" && of != "standing":
		return 0 // denied, and the reasons by code
	case lost.MatchString(name):
		return 1
	case internal.MatchString(name):
		return 3
	}
	return 2
}

// notable picks the counts that say more than rows in and out: why people were held
// back first, then what was lost or refused, then the rest.
func notable(r workflows.Report, rules []policies.Rule) string {
	var keys, out []string
	for _, k := range slices.Sorted(maps.Keys(r.Counts)) {
		if k != "rows_in" && k != "rows_out" && r.Counts[k] != 0 && !strings.HasPrefix(k, "pairs_by_") { // those are in weir identity model
			keys = append(keys, k)
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(interest(r.Stage, a), interest(r.Stage, b)) })
	for _, k := range keys {
		out = append(out, plainly(r.Stage, k, rules)+" "+count(r.Counts[k]))
	}
	const most = 8
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more (--json)", len(out)-most))
	}
	return strings.Join(out, ", ")
}
