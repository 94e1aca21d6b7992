package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weir-cdp/weir/deploy/embedded"
)

func TestMetricsAreForWhoHasTheToken(t *testing.T) {
	registry := prometheus.NewRegistry()
	up := prometheus.NewGauge(prometheus.GaugeOpts{Name: "weir_test_up"})
	registry.MustRegister(up)
	h := metricsHandler(registry, embedded.LoopbackNames(18234), "the-token")
	for _, c := range []struct {
		name, host, authorization string
		code                      int
	}{
		{"a scraper", "127.0.0.1:18234", "Bearer the-token", http.StatusOK},
		{"no token", "127.0.0.1:18234", "", http.StatusUnauthorized},
		{"another token", "localhost:18234", "Bearer the-tokens", http.StatusUnauthorized},
		{"a page whose name points here", "rebound.example.org:18234", "Bearer the-token", http.StatusForbidden},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://"+c.host+"/metrics", nil)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if told := strings.Contains(w.Body.String(), "weir_test_up"); w.Code != c.code || told != (c.code == http.StatusOK) {
			t.Errorf("%s: %d, metrics told: %v", c.name, w.Code, told)
		}
	}
}
