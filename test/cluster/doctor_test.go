package cluster

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

type check struct {
	Part   string `json:"part"`
	Status string `json:"status"`
	What   string `json:"what"`
	Next   string `json:"next"`
	Took   *int64 `json:"took_ms"`
}

// examine runs the doctor and gives what it found, by part.
func examine(t *testing.T, p *weirtest.Project, code int) map[string]check {
	t.Helper()
	var said struct {
		OK     bool
		Checks []check
	}
	began := time.Now()
	p.Must(t, code, "doctor", "--cluster", "--json").JSON(t, &said)
	if took := time.Since(began); took > 90*time.Second {
		t.Errorf("the doctor took %v", took)
	}
	if said.OK != (code == weirtest.Done) {
		t.Errorf("ok is %v, the exit code %d", said.OK, code)
	}
	out := map[string]check{}
	for _, c := range said.Checks {
		if out[c.Part].Part != "" || c.Took == nil {
			t.Errorf("%s is told twice, or without its time", c.Part)
		}
		if c.Status != "ok" && c.Next == "" {
			t.Errorf("%s says no next step: %s", c.Part, c.What)
		}
		out[c.Part] = c
	}
	return out
}

// say checks what is said of a part.
func say(t *testing.T, found map[string]check, part, status string, words ...string) {
	t.Helper()
	c, ok := found[part]
	if !ok || c.Status != status {
		t.Errorf("%s is %q, not %q: %s", part, c.Status, status, c.What)
	}
	for _, w := range words {
		if !strings.Contains(c.What+" "+c.Next, w) {
			t.Errorf("%s does not say %q: %s → %s", part, w, c.What, c.Next)
		}
	}
}

// mute accepts connections and never answers.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// flink stands in for Flink's REST.
func flink(t *testing.T, overview string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/overview" {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprint(w, overview)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestDoctorOnACluster: real parts are well, and each thing that can be wrong with
// one is told as such, with what to do, while the others are examined all the same.
func TestDoctorOnACluster(t *testing.T) {
	c := clustertest.Start(t)
	p := weirtest.New(t, map[string]string{"weir.yaml": "name: shop\nsubject:\n  jurisdiction: [consent.jurisdiction]\n"})
	c.Use(t, p)
	found := examine(t, p, weirtest.Done)
	for _, part := range []string{"s3", "s3 clock", "catalog", "catalog clock", "temporal", "temporal clock", "temporal namespace"} {
		say(t, found, part, "ok")
	}
	say(t, found, "workers", "warn", "control, ingress, pipelines, egress", "weir worker")
	for _, key := range c.Store.Objects(t, clustertest.Bucket, "") {
		t.Errorf("the doctor left %s", key)
	}

	w := worker(t, p, "--queues", "control,pipelines")
	weirtest.Eventually(t, "the worker is seen", func() bool {
		return strings.Contains(examine(t, p, weirtest.Done)["workers"].What, "nobody polls ingress, egress")
	})
	w.Kill()

	lines := c.Lines()
	env := p.Env
	for _, bad := range []struct {
		name   string
		change func(*clustertest.Lines)
		env    []string
		part   string
		status string
		words  []string
	}{
		{name: "no bucket", change: lake("bucket: lake", "bucket: nowhere"), part: "s3", words: []string{"no bucket nowhere", "create it"}},
		{name: "a wrong key", env: []string{"LAKE_SECRET=wrong"}, part: "s3", words: []string{"lake.secret_key"}},
		{name: "nobody there", change: lake(c.Store.URL, "http://127.0.0.1:1"), part: "s3", words: []string{"127.0.0.1:1", "check that the object store runs"}},
		{name: "a mute store", change: lake(c.Store.URL, "http://"+mute(t)), part: "s3", words: []string{"check"}},
		{name: "no catalog", change: lake(c.Catalog.URI, "http://127.0.0.1:1"), part: "catalog", words: []string{"lake.catalog.uri"}},
		{name: "a mute catalog", change: lake(c.Catalog.URI, "http://"+mute(t)), part: "catalog", words: []string{"check"}},
		{name: "not a catalog", change: lake(c.Catalog.URI, flink(t, "{}")), part: "catalog", words: []string{"lake.catalog"}},
		{name: "no namespace", change: temporal("namespace: "+c.Temporal.Namespace, "namespace: nowhere"), part: "temporal", words: []string{`no namespace "nowhere"`, "namespace create"}},
		{name: "no temporal", change: temporal(c.Temporal.Address, "127.0.0.1:1"), part: "temporal", words: []string{"127.0.0.1:1", "temporal.address"}},
		{name: "a mute temporal", change: temporal(c.Temporal.Address, mute(t)), part: "temporal", words: []string{"temporal.address"}},
		{name: "no TLS there", change: temporal("namespace:", "tls: true, namespace:"), part: "temporal", words: []string{"temporal.tls"}},
		{name: "a wrong token", change: func(l *clustertest.Lines) {
			l.Temporal = regexp.MustCompile(`api_key: "[^"]*"`).ReplaceAllString(l.Temporal, `api_key: "$${env:LAKE_KEY}"`)
		}, part: "temporal", words: []string{"refuses", "temporal.api_key"}},
		{name: "Flink without task managers", change: runner(flink(t, `{"taskmanagers": 0, "slots-total": 0, "flink-version": "1.19.3"}`)), part: "flink", words: []string{"0 task managers", "start task managers"}},
		{name: "no Flink", change: runner("http://127.0.0.1:1"), part: "flink", words: []string{"runner.rest"}},
		{name: "a mute job service", change: func(l *clustertest.Lines) { l.Runner = fmt.Sprintf("runner: {job_service: %q}", mute(t)) }, part: "job service", words: []string{"job_service"}},
		{name: "another Flink", change: runner(flink(t, `{"taskmanagers": 1, "slots-total": 2, "flink-version": "2.1.0"}`)), part: "flink", status: "warn", words: []string{"2.1.0", "1.19"}},
	} {
		t.Run(bad.name, func(t *testing.T) {
			changed := lines
			if bad.change != nil {
				bad.change(&changed)
			}
			changed.Write(t, p)
			p.Env = append(env[:len(env):len(env)], bad.env...)
			code, status := weirtest.Failed, "fail"
			if bad.status == "warn" {
				code, status = weirtest.Done, "warn"
			}
			found := examine(t, p, code)
			say(t, found, bad.part, status, bad.words...)
			for _, other := range []string{"s3", "catalog", "temporal"} {
				if other != bad.part && (bad.part != "s3" || other != "catalog") {
					say(t, found, other, "ok")
				}
			}
		})
	}
	t.Run("keys that only read", func(t *testing.T) {
		v := c.Store.ReadOnly(t, clustertest.Bucket)
		changed := lines
		lake("region:", `session_token: "${env:LAKE_TOKEN}", region:`)(&changed)
		changed.Write(t, p)
		p.Env = append(env[:len(env):len(env)], "LAKE_KEY="+v.AccessKeyID, "LAKE_SECRET="+v.SecretAccessKey, "LAKE_TOKEN="+v.SessionToken)
		say(t, examine(t, p, weirtest.Failed), "s3", "fail", "write", "bucket's policy")
		p.Env = append(env[:len(env):len(env)], "LAKE_KEY="+v.AccessKeyID, "LAKE_SECRET="+v.SecretAccessKey, "LAKE_TOKEN=x"+v.SessionToken)
		say(t, examine(t, p, weirtest.Failed), "s3", "fail", "session_token")
	})
	t.Run("certificates", func(t *testing.T) {
		p.Env = env
		x := clustertest.StartTunnel(t, c.Temporal.Address)
		for _, way := range []struct{ tls, status, word string }{
			{fmt.Sprintf("{ca: %q, cert: %q, key: %q, server_name: %s}", x.CA, x.Cert, x.Key, x.Name), "ok", "server 1."},
			{fmt.Sprintf("{ca: %q, server_name: %s}", x.CA, x.Name), "fail", "temporal.tls"},
			{fmt.Sprintf("{ca: %q, cert: %q, key: %q}", x.CA, x.Cert, x.Key), "fail", "temporal.tls"},
			{"true", "fail", "temporal.tls"},
		} {
			changed := lines
			temporal(c.Temporal.Address, x.Address)(&changed)
			temporal("namespace:", "tls: "+way.tls+", namespace:")(&changed)
			changed.Write(t, p)
			code := weirtest.Failed
			if way.status == "ok" {
				code = weirtest.Done
			}
			say(t, examine(t, p, code), "temporal", way.status, way.word)
		}
	})
	t.Run("keys of the machine", func(t *testing.T) {
		v := c.Store.Session(t)
		changed := lines
		lake(`access_key: "${env:LAKE_KEY}", secret_key: "${env:LAKE_SECRET}", `, "")(&changed)
		changed.Write(t, p)
		p.Env = append(env[:len(env):len(env)], "AWS_ACCESS_KEY_ID="+v.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+v.SecretAccessKey, "AWS_SESSION_TOKEN="+v.SessionToken)
		say(t, examine(t, p, weirtest.Done), "s3", "ok")
		p.Env = append(env[:len(env):len(env)], "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "HOME="+t.TempDir())
		say(t, examine(t, p, weirtest.Failed), "s3", "fail", "no credentials", "AWS_ACCESS_KEY_ID")
	})
}

func lake(old, by string) func(*clustertest.Lines) {
	return func(l *clustertest.Lines) { l.Lake = strings.Replace(l.Lake, old, by, 1) }
}

func temporal(old, by string) func(*clustertest.Lines) {
	return func(l *clustertest.Lines) { l.Temporal = strings.Replace(l.Temporal, old, by, 1) }
}

// runner adds a Flink cluster, behind a job service that takes connections.
func runner(rest string) func(*clustertest.Lines) {
	return func(l *clustertest.Lines) { l.Runner = fmt.Sprintf("runner: {rest: %q}", rest) }
}
