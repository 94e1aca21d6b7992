package resolve

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir/pipelines"
)

// mostUncertain is how many pairs a task, and at last the run, offers for review.
const mostUncertain = 500

// farOff is how far from the threshold nobody needs to be asked, in log2 odds.
const farOff = 6

// uncertainRow is a pair whose score is near the threshold. To partition.
type uncertainRow struct {
	Left, Right string // digests
	Of          uint8
	Weight      float64 // log2 odds
	Off         float64 // from the threshold
}

// boundRow tells that a task left out pairs that are farther off. To partition.
type boundRow struct{ Off float64 }

func compareUncertain(a, b uncertainRow) int {
	if c := cmp.Compare(math.Abs(a.Off), math.Abs(b.Off)); c != 0 {
		return c
	}
	if c := strings.Compare(a.Left, b.Left); c != 0 {
		return c
	}
	return strings.Compare(a.Right, b.Right)
}

// nearest keeps the pairs that are nearest to the threshold.
type nearest struct {
	rows []uncertainRow
	most float64 // pairs farther off are not among them
}

func (n *nearest) add(left, right string, of uint8, off, weight float64) {
	if math.Abs(off) > farOff || (n.most > 0 && math.Abs(off) > n.most) {
		return
	}
	if left > right {
		left, right = right, left
	}
	n.rows = append(n.rows, uncertainRow{Left: strings.Clone(left), Right: strings.Clone(right), Of: of, Weight: weight, Off: off})
	if len(n.rows) >= 4*mostUncertain {
		n.cut()
	}
}

func (n *nearest) cut() {
	slices.SortFunc(n.rows, compareUncertain)
	if len(n.rows) > mostUncertain {
		n.rows = n.rows[:mostUncertain]
		n.most = math.Abs(n.rows[mostUncertain-1].Off)
	}
}

func (n *nearest) emit(t *pipelines.Task) error {
	n.cut()
	if n.most > 0 {
		if err := pipelines.Emit(t, "partition:bound", 0, boundRow{n.most}); err != nil {
			return err
		}
	}
	for _, row := range n.rows {
		if err := pipelines.Emit(t, "partition:uncertain", 0, row); err != nil {
			return err
		}
	}
	return nil
}
