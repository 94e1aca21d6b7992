package stages

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

// Metrics are a workspace's Prometheus metrics, read from ops.runs at each
// scrape: how old each part's last success is, how it ended, what it moved. They
// name parts, never people (invariant 10).
type Metrics struct {
	house     *House
	workspace string
	lag       *prometheus.Desc
	success   *prometheus.Desc
	rowsIn    *prometheus.Desc
	rowsOut   *prometheus.Desc
	seconds   *prometheus.Desc
	counts    *prometheus.Desc
}

// scrapeTimeout bounds one scrape.
const scrapeTimeout = 10 * time.Second

// NewMetrics makes the collector of a project's lake.
func NewMetrics(h *House, p *project.Project) *Metrics {
	labels := []string{"workspace", "stage", "part"}
	desc := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("weir_"+name, help, append(labels, more...), nil)
	}
	return &Metrics{house: h, workspace: p.Name,
		lag:     desc("freshness_lag_seconds", "Seconds since the last run of this part that succeeded."),
		success: desc("last_run_success", "1 if the last run of this part succeeded, wholly or in part; else 0."),
		rowsIn:  desc("last_run_rows_in", "Rows that the last run took in."),
		rowsOut: desc("last_run_rows_out", "Rows that the last run put out."),
		seconds: desc("last_run_duration_seconds", "How long the last run took."),
		counts:  desc("last_run_count", "What else the last run counted.", "name"),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lag, m.success, m.rowsIn, m.rowsOut, m.seconds, m.counts} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	status, err := m.house.Status(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(m.success, err)
		return
	}
	for _, s := range status {
		gauge := func(d *prometheus.Desc, v float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{m.workspace, string(s.Stage), s.Part}, more...)...)
		}
		ok := 1.0
		if s.Last.Status == Failed {
			ok = 0
		}
		gauge(m.success, ok)
		if !s.SucceededAt.IsZero() {
			gauge(m.lag, s.Lag.Seconds())
		}
		gauge(m.rowsIn, float64(s.Last.RowsIn))
		gauge(m.rowsOut, float64(s.Last.RowsOut))
		gauge(m.seconds, s.Last.EndedAt.Sub(s.Last.StartedAt).Seconds())
		for name, n := range s.Last.Counts {
			if name != "rows_in" && name != "rows_out" {
				gauge(m.counts, float64(n), name)
			}
		}
	}
}

// PartStatus is how one stream, stage or destination stands.
type PartStatus struct {
	Stage       weir.Stage    `json:"stage"`
	Part        string        `json:"part"`
	Last        weir.StageRun `json:"last"`
	SucceededAt time.Time     `json:"succeeded_at,omitzero"` // zero: never
	Lag         time.Duration `json:"-"`                     // since then
	LagSeconds  float64       `json:"lag_seconds"`
	// Look is the command that shows what is quarantined of it; "" if nothing is.
	Look string `json:"look,omitempty"`
}

// Status tells of every part that ever ran, in the order of the stages.
func (h *House) Status(ctx context.Context) ([]PartStatus, error) {
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return nil, err
	}
	byPart := map[[2]string]*PartStatus{}
	var keys [][2]string
	now := h.Clock()
	for _, r := range runs {
		k := [2]string{string(r.Stage), r.Part}
		s := byPart[k]
		if s == nil {
			s = &PartStatus{Stage: r.Stage, Part: r.Part}
			byPart[k] = s
			keys = append(keys, k)
		}
		if !r.EndedAt.Before(s.Last.EndedAt) {
			s.Last = r
		}
		if r.Status != Failed && r.EndedAt.After(s.SucceededAt) {
			s.SucceededAt = r.EndedAt
			s.Lag = now.Sub(r.EndedAt)
			s.LagSeconds = s.Lag.Seconds()
		}
	}
	var out []PartStatus
	for _, stage := range weir.Stages() {
		var parts []string
		for _, k := range keys {
			if k[0] == string(stage) {
				parts = append(parts, k[1])
			}
		}
		slices.Sort(parts)
		for _, p := range parts {
			s := byPart[[2]string{string(stage), p}]
			if s.Last.Counts[newRows]+s.Last.Counts[oldRows] > 0 {
				s.Look = quarantineQuery(stage, p)
			}
			out = append(out, *s)
		}
	}
	return out, nil
}
