package check

import (
	"fmt"
	"strconv"

	"sigs.k8s.io/yaml"
)

// Runner holds a project's lines about Flink to the services and slots that there are.
func (c *Cluster) Runner(weirYAML []byte) (out []string) {
	var p struct {
		Runner struct {
			JobService  string `json:"job_service"`
			REST        string `json:"rest"`
			Parallelism int    `json:"parallelism"`
		} `json:"runner"`
	}
	if err := yaml.Unmarshal(weirYAML, &p); err != nil {
		return []string{err.Error()}
	}
	if !c.serves(p.Runner.JobService) {
		out = append(out, fmt.Sprintf("runner: no service is at %q", p.Runner.JobService))
	}
	if rest, ok := cutHTTP(p.Runner.REST); !ok || !c.serves(rest) {
		out = append(out, fmt.Sprintf("runner: no service is at %q", p.Runner.REST))
	}
	d := c.named("weir-taskmanager")
	if d == nil || d.Spec.Replicas == nil {
		return append(out, "runner: there are no task managers")
	}
	slots := 0
	for _, m := range c.ConfigMaps {
		var conf map[string]any
		if err := yaml.Unmarshal([]byte(m.Data["flink-conf.yaml"]), &conf); err == nil {
			n, _ := strconv.Atoi(fmt.Sprint(conf["taskmanager.numberOfTaskSlots"])) // the rest is told by flink
			slots = max(slots, n)
		}
	}
	if have := slots * int(*d.Spec.Replicas); p.Runner.Parallelism > have {
		out = append(out, fmt.Sprintf("runner: jobs of parallelism %d would wait for ever, there are %d slots", p.Runner.Parallelism, have))
	}
	return out
}

func cutHTTP(url string) (string, bool) {
	const scheme = "http://"
	if len(url) < len(scheme) || url[:len(scheme)] != scheme {
		return "", false
	}
	return url[len(scheme):], true
}

// serves tells whether a service has this name and port.
func (c *Cluster) serves(address string) bool {
	for _, s := range c.Services {
		for _, p := range s.Spec.Ports {
			if address == fmt.Sprintf("%s:%d", s.Name, p.Port) {
				return true
			}
		}
	}
	return false
}
