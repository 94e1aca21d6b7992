package project

import (
	"net"
	"net/url"

	"go.yaml.in/yaml/v3"
)

func readRunner(r *reader, n *yaml.Node, x *Runner) {
	r.object(n, keys{"type": r.oneOf(&x.Type, "prism", "flink"), "job_service": r.text(&x.JobService), "rest": r.text(&x.REST),
		"parallelism": r.integer(&x.Parallelism, 1), "worker": r.text(&x.Worker)})
}

// checkRunner reports what a cluster needs and the project lacks. N may be nil: no runner.
func checkRunner(r *reader, n *yaml.Node, p *Project) {
	x := p.Runner
	if n == nil || x.Type != "flink" {
		return
	}
	if _, _, err := net.SplitHostPort(x.JobService); err != nil {
		r.problem(n, "add job_service: HOST:8099, where Beam's job server listens", "a runner of type flink needs a job_service of the form host:port, found %q", x.JobService)
	}
	if u, err := url.Parse(x.REST); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		r.problem(n, "add rest: http://HOST:8081, Flink's job manager", "a runner of type flink needs a rest of the form http://host:port, found %q", x.REST)
	}
	if u, err := url.Parse(x.REST); err == nil && u.User != nil { // a job's options name it, and Flink shows them
		r.problem(n, "let Weir's workers through by their network", "runner.rest holds a user or a password, which everybody who sees a job would see")
	}
	if p.Lake.Endpoint == "" {
		r.problem(n, "set lake.endpoint and lake.bucket, see docs/project.md", "a cluster can't reach the embedded lake")
	}
}
