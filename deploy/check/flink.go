package check

import (
	"fmt"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// flinkPorts are the settings that say where Flink listens, and whose port it is.
var flinkPorts = map[string][2]string{
	"jobmanager.rpc.port": {"weir-jobmanager", "rpc"}, "blob.server.port": {"weir-jobmanager", "blob"}, "rest.port": {"weir-jobmanager", "rest"},
	"taskmanager.rpc.port": {"weir-taskmanager", "rpc"}, "taskmanager.data.port": {"weir-taskmanager", "data"},
}

// flink holds Flink's configuration to the ports, names and memory of its pods.
func (c *Cluster) flink() (out []string) {
	found := func(format string, args ...any) { out = append(out, "flink: "+fmt.Sprintf(format, args...)) }
	conf := map[string]string{}
	for _, m := range c.ConfigMaps {
		text, ok := m.Data["flink-conf.yaml"]
		if !ok {
			continue
		}
		var values map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
			found("%v", err)
		}
		for k, v := range values {
			conf[k] = fmt.Sprint(v)
		}
	}
	if len(conf) == 0 {
		return []string{"flink: there is no flink-conf.yaml"}
	}
	for key, at := range flinkPorts {
		d := c.named(at[0])
		if d == nil {
			continue
		}
		for _, k := range d.Spec.Template.Spec.Containers {
			for _, p := range k.Ports {
				if p.Name == at[1] && conf[key] != strconv.Itoa(int(p.ContainerPort)) {
					found("%s is %q, port %s of %s is %d", key, conf[key], p.Name, d.Name, p.ContainerPort)
				}
			}
		}
	}
	for _, key := range []string{"jobmanager.rpc.address", "rest.address"} {
		ok := false
		for _, s := range c.Services {
			ok = ok || s.Name == conf[key]
		}
		if !ok {
			found("%s is %q, which no service is called", key, conf[key])
		}
	}
	if d := c.named("weir-taskmanager"); d != nil {
		if p := room(d, conf); p != "" {
			found("%s", p)
		}
	}
	return out
}

func (c *Cluster) named(name string) *appsv1.Deployment {
	for _, d := range c.Deployments {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// room holds a task manager's memory to what Java and the workers of its slots take.
func room(d *appsv1.Deployment, conf map[string]string) string {
	slots, err := strconv.ParseInt(conf["taskmanager.numberOfTaskSlots"], 10, 64)
	if err != nil {
		return "taskmanager.numberOfTaskSlots is no number"
	}
	java, ok := strings.CutSuffix(conf["taskmanager.memory.process.size"], "m")
	mb, err := strconv.ParseInt(java, 10, 64)
	if err != nil || !ok {
		return "taskmanager.memory.process.size is not in m"
	}
	for _, k := range d.Spec.Template.Spec.Containers {
		for _, e := range k.Env {
			if e.Name != "GOMEMLIMIT" {
				continue
			}
			worker, err := resource.ParseQuantity(strings.TrimSuffix(e.Value, "B"))
			if err != nil {
				return "GOMEMLIMIT is no size"
			}
			// GOMEMLIMIT is soft: a worker may go an eighth over it.
			if need, have := mb<<20+slots*worker.Value()*9/8, k.Resources.Limits.Memory().Value(); need > have {
				return fmt.Sprintf("%d slots of %s and Java's %s take %d MiB, the container has %d", slots, e.Value, conf["taskmanager.memory.process.size"], need>>20, have>>20)
			}
			return ""
		}
	}
	return "the task managers' workers have no GOMEMLIMIT"
}
