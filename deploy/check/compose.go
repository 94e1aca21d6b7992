package check

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Compose loads a compose file as `docker compose --profile '*' config` does, by
// Compose's own library and schema, and tells what it finds beyond that.
func Compose(ctx context.Context, path string) ([]string, error) {
	o, err := cli.NewProjectOptions([]string{path}, cli.WithProfiles([]string{"*"}), cli.WithName("weir"))
	if err != nil {
		return nil, err
	}
	p, err := o.LoadProject(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range p.ServiceNames() {
		for _, problem := range append(service(p, p.Services[name]), volumes(p, p.Services[name])...) {
			out = append(out, "service "+name+": "+problem)
		}
	}
	return append(out, madeSecrets(p, filepath.Dir(path))...), nil
}

func service(p *types.Project, s types.ServiceConfig) (out []string) {
	found := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if problem := unpinned(s.Image); problem != "" && s.Build == nil {
		found("%s", problem)
	}
	once := s.Restart == "no"
	if !once && (s.HealthCheck == nil || s.HealthCheck.Disable) && len(s.Profiles) == 0 {
		found("has no health check")
	}
	if s.Privileged || s.NetworkMode == "host" || s.Pid == "host" {
		found("is not kept apart from the host")
	}
	if s.NetworkMode != "" && len(s.Networks) > 0 {
		found("has both a network mode and networks")
	}
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		found("may gain privileges")
	}
	if !slices.Contains(s.CapDrop, "ALL") {
		found("keeps capabilities")
	}
	for _, port := range s.Ports {
		if port.Published != "" && port.HostIP != "127.0.0.1" {
			found("port %s is open to the network", port.Published)
		}
	}
	for name, value := range s.Environment {
		if value != nil && *value != "" && secretive(name) {
			found("%s has its value in the file", name)
		}
	}
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeBind && strings.Contains(v.Source, "docker.sock") {
			found("has the host's Docker")
		}
	}
	for on, how := range s.DependsOn {
		other, ok := p.Services[on]
		switch {
		case !ok:
			found("waits for %s, which there is not", on)
		case how.Condition == types.ServiceConditionHealthy && other.HealthCheck == nil:
			found("waits for the health of %s, which has no check", on)
		case how.Condition == types.ServiceConditionCompletedSuccessfully && other.Restart != "no":
			found("waits for the end of %s, which is started again", on)
		case how.Condition == types.ServiceConditionStarted:
			found("waits only for the start of %s", on)
		}
	}
	return out
}

// volumes finds those that a service may write to before a service of root's has given
// them to its user: a volume belongs to root when it is made.
func volumes(p *types.Project, s types.ServiceConfig) (out []string) {
	for _, name := range p.ServiceNames() {
		giver := p.Services[name]
		if name == s.Name || giver.Restart != "no" || !strings.HasPrefix(giver.User, "0:") || waits(p, s, name) {
			continue
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeVolume && slices.ContainsFunc(giver.Volumes, func(g types.ServiceVolumeConfig) bool { return g.Source == v.Source }) {
				out = append(out, fmt.Sprintf("does not wait for %s, which gives it volume %s", name, v.Source))
			}
		}
	}
	return out
}

// waits tells whether a service starts after another, directly or by way of others.
func waits(p *types.Project, s types.ServiceConfig, on string) bool {
	for name := range s.DependsOn {
		if name == on || waits(p, p.Services[name], on) {
			return true
		}
	}
	return false
}

var makes = regexp.MustCompile(`(?m)^make (\w+) `)

// madeSecrets holds the secrets of the file to those that setup.sh makes.
func madeSecrets(p *types.Project, dir string) (out []string) {
	script, err := os.ReadFile(filepath.Join(dir, "setup.sh"))
	if err != nil {
		return []string{err.Error()}
	}
	var made []string
	for _, m := range makes.FindAllStringSubmatch(string(script), -1) {
		made = append(made, m[1])
	}
	for name, s := range p.Secrets {
		if s.File == "" || filepath.Base(s.File) != name || !slices.Contains(made, name) {
			out = append(out, "secret "+name+": setup.sh does not make it")
		}
	}
	for _, name := range made {
		if _, ok := p.Secrets[name]; !ok {
			out = append(out, "secret "+name+": setup.sh makes it, and nothing reads it")
		}
	}
	slices.Sort(out)
	return out
}
