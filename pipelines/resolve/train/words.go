package train

import (
	"strings"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// words learns how frequent the words of company names are, as table does whole
// values: same is the number of duplicates of a record.
func (t *trainer) words(same float64) error {
	for c := range t.cols {
		if k, _ := compare.KindOf(t.cols[c].Kind); k != compare.Company {
			continue
		}
		tl := tally{of: map[uint32]int32{}}
		var names []string
		for i := range t.size {
			v := &t.features[i].Values[c]
			if v.Missing() {
				continue
			}
			tl.held++
			names = append(names, v.Text)
			for w := range distinct(v.Text) {
				tl.of[model.ValueHash(w)]++
			}
		}
		w, err := model.NewWords(tl.table(nil, same*t.cols[c].Levels[0].M*t.cols[c].Complete, t.oneFor()), names)
		if err != nil {
			return err
		}
		t.cols[c].Words = w
	}
	return nil
}

func distinct(text string) map[string]struct{} {
	out := map[string]struct{}{}
	for _, w := range strings.Fields(text) {
		out[w] = struct{}{}
	}
	return out
}
