package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// clock judges how far a part's clock is from this machine's.
func clock(part string, skew time.Duration) stages.Finding {
	off := skew.Abs()
	if off < skewWarn {
		return fine(part, "agrees with this machine's")
	}
	f := stages.Finding{Part: part, Status: stages.Warn, What: fmt.Sprintf("is %s off from this machine's", off.Round(time.Second)), Next: "set the clocks of both by a time server (NTP)"}
	if off >= skewBad {
		f.Status = stages.Bad
	}
	return f
}

// probeClock reads a web server's clock from its answer, whatever that says.
func probeClock(ctx context.Context, part, url, ca string) []stages.Finding {
	before := time.Now()
	res, err := get(ctx, url, ca)
	if err != nil {
		return []stages.Finding{{Part: part, Status: stages.Warn, What: "can't be read: " + err.Error(), Next: "mend the part first"}}
	}
	_ = res.Body.Close()
	theirs, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return []stages.Finding{{Part: part, Status: stages.Warn, What: "is not told", Next: "nothing, if what is in between takes the Date header away"}}
	}
	// The header has whole seconds, cut off.
	switch after := time.Now(); {
	case theirs.After(after):
		return []stages.Finding{clock(part, theirs.Sub(after))}
	case theirs.Add(time.Second).Before(before):
		return []stages.Finding{clock(part, theirs.Add(time.Second).Sub(before))}
	}
	return []stages.Finding{clock(part, 0)}
}

func get(ctx context.Context, url, ca string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	defer t.CloseIdleConnections()
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM(pem)
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	}
	return (&http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
}

// flinkVersion is the one that the job server of deploy/flink is made for.
const flinkVersion = "1.19."

// probeRunner asks Flink's REST how it stands, and whether the job service listens.
func probeRunner(r project.Runner) []probe {
	var out []probe
	if r.REST != "" {
		out = append(out, probe{"flink", func(ctx context.Context) []stages.Finding { return probeFlink(ctx, r) }},
			probe{"flink clock", func(ctx context.Context) []stages.Finding { return probeClock(ctx, "flink clock", r.REST, "") }})
	}
	if r.JobService != "" {
		out = append(out, probe{"job service", func(ctx context.Context) []stages.Finding {
			if err := jobservice.CheckService(ctx, r.JobService); err != nil {
				return []stages.Finding{stages.FindingOf("job service", err, "check runner.job_service in weir.yaml, and that Beam's job server runs")}
			}
			return []stages.Finding{fine("job service", "%s is Beam's job service", r.JobService)}
		}})
	}
	return out
}

func probeFlink(ctx context.Context, r project.Runner) []stages.Finding {
	const part, next = "flink", "check runner.rest in weir.yaml, and that Flink's job manager runs"
	o, err := jobservice.NewFlink(r.REST).Overview(ctx)
	if err != nil {
		return []stages.Finding{stages.FindingOf(part, err, next)}
	}
	what := fmt.Sprintf("%s: version %s, %d task managers, %d slots, %d of them free", r.REST, o.Version, o.TaskManagers, o.Slots, o.Free)
	switch {
	case o.TaskManagers == 0 || o.Slots == 0:
		return []stages.Finding{{Part: part, Status: stages.Bad, What: what, Next: "start task managers: a job would wait for slots"}}
	case !strings.HasPrefix(o.Version, flinkVersion):
		return []stages.Finding{{Part: part, Status: stages.Warn, What: what, Next: "the job server of deploy/flink is made for Flink " + flinkVersion + "x"}}
	case r.Parallelism > o.Slots:
		return []stages.Finding{{Part: part, Status: stages.Bad, What: what, Next: fmt.Sprintf("runner.parallelism is %d: lower it, or add slots", r.Parallelism)}}
	}
	return []stages.Finding{fine(part, "%s", what)}
}
