package explain

import (
	"fmt"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// window prints when the events happened, "" of ever.
func window(within time.Duration, w *weir.Window) string {
	switch {
	case w == nil && within > 0:
		return "within " + length(within)
	case w == nil:
		return ""
	case w.Within != "":
		return "within " + w.Within
	case len(w.Between) == 2 && len(w.Between[0]) >= len("2006-01-02"):
		return "from " + w.Between[0] + " to " + w.Between[1]
	case len(w.Between) == 2:
		return "between " + w.Between[0] + " and " + w.Between[1] + " ago"
	}
	s := strings.ReplaceAll(w.During, "_", " ")
	if words := strings.Fields(s); len(words) == 3 { // last 4 weeks
		return "in the last " + words[1] + " full " + words[2]
	} else if len(words) == 4 {
		return "in the " + s
	}
	return s
}

func length(d time.Duration) string {
	if days := d / (24 * time.Hour); d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", days)
	}
	return d.String()
}
