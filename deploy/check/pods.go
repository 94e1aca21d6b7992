package check

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Problems are what is wrong with a cluster, in the order of its documents.
func (c *Cluster) Problems() []string {
	var out []string
	for _, d := range c.Deployments {
		for _, p := range c.deployment(d) {
			out = append(out, "deployment "+d.Name+": "+p)
		}
	}
	for _, s := range c.Services {
		for _, p := range c.service(s) {
			out = append(out, "service "+s.Name+": "+p)
		}
	}
	for _, b := range c.Budgets {
		if len(c.selected(b.Spec.Selector)) == 0 {
			out = append(out, "budget "+b.Name+": selects no pod")
		}
	}
	for _, s := range c.Secrets {
		for key, value := range s.StringData {
			if value != "" {
				out = append(out, fmt.Sprintf("secret %s: %s has a value, in a file that everybody reads", s.Name, key))
			}
		}
		if len(s.Data) > 0 {
			out = append(out, "secret "+s.Name+": has values")
		}
	}
	return append(append(out, c.network()...), c.flink()...)
}

// selected are the deployments whose pods a selector takes.
func (c *Cluster) selected(s *metav1.LabelSelector) (out []*appsv1.Deployment) {
	if s == nil {
		return nil
	}
	match, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return nil
	}
	for _, d := range c.Deployments {
		if match.Matches(labels.Set(d.Spec.Template.Labels)) {
			out = append(out, d)
		}
	}
	return out
}

func (c *Cluster) service(s *corev1.Service) (out []string) {
	if len(s.Spec.Selector) == 0 {
		return []string{"selects nothing"}
	}
	pods := c.selected(&metav1.LabelSelector{MatchLabels: s.Spec.Selector})
	if len(pods) == 0 {
		return []string{"selects no pod"}
	}
	for _, p := range s.Spec.Ports {
		for _, d := range pods {
			if _, ok := portOf(d, p.TargetPort); !ok {
				out = append(out, fmt.Sprintf("port %s leads to %s, which %s does not have", p.Name, p.TargetPort.String(), d.Name))
			}
		}
	}
	return out
}

// portOf finds a container's port by name or number.
func portOf(d *appsv1.Deployment, p intstr.IntOrString) (int32, bool) {
	for _, k := range d.Spec.Template.Spec.Containers {
		for _, have := range k.Ports {
			if p.Type == intstr.String && have.Name == p.StrVal || p.Type == intstr.Int && have.ContainerPort == p.IntVal {
				return have.ContainerPort, true
			}
		}
	}
	return 0, false
}

func (c *Cluster) deployment(d *appsv1.Deployment) (out []string) {
	found := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	pod := d.Spec.Template.Spec
	match, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil || match.Empty() || !match.Matches(labels.Set(d.Spec.Template.Labels)) {
		found("its selector does not take its own pods")
	}
	if len(c.selected(d.Spec.Selector)) > 1 {
		found("its selector takes another deployment's pods, too")
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		found("its pods get a service account's token")
	}
	s := pod.SecurityContext
	switch {
	case s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0:
		found("its pods may run as root")
	case s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		found("its pods have no seccomp profile")
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		switch {
		case v.ConfigMap != nil && !c.hasConfigMap(v.ConfigMap.Name):
			found("there is no config map %s", v.ConfigMap.Name)
		case v.Secret != nil && !c.hasSecret(v.Secret.SecretName, ""):
			found("there is no secret %s", v.Secret.SecretName)
		case v.HostPath != nil:
			found("volume %s is the node's own", v.Name)
		case v.EmptyDir != nil && v.EmptyDir.SizeLimit == nil:
			found("volume %s has no limit", v.Name)
		}
	}
	for _, k := range pod.InitContainers {
		for _, p := range append(c.container(k, volumes), ownFiles(k)...) {
			found("container %s: %s", k.Name, p)
		}
	}
	for _, k := range pod.Containers {
		for _, p := range append(c.container(k, volumes), probes(d, k)...) {
			found("container %s: %s", k.Name, p)
		}
	}
	return out
}

func (c *Cluster) container(k corev1.Container, volumes map[string]bool) (out []string) {
	found := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if p := unpinned(k.Image); p != "" {
		found("%s", p)
	}
	s := k.SecurityContext
	if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
		found("may gain privileges")
	}
	if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		found("may write to its own files")
	}
	if s == nil || s.Capabilities == nil || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) > 0 {
		found("keeps capabilities")
	}
	if s != nil && (s.RunAsUser != nil || s.RunAsNonRoot != nil || s.Privileged != nil) {
		found("has a user of its own, against its pod's")
	}
	if k.Resources.Limits.Memory().IsZero() || k.Resources.Requests.Memory().IsZero() || k.Resources.Requests.Cpu().IsZero() {
		found("asks for no processor or memory, or has no limit of memory")
	}
	for _, m := range k.VolumeMounts {
		if !volumes[m.Name] {
			found("mounts %s, which its pod does not have", m.Name)
		}
	}
	for _, e := range k.Env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			if r := e.ValueFrom.SecretKeyRef; !c.hasSecret(r.Name, r.Key) {
				found("%s is read from key %s of secret %s, which the example does not list", e.Name, r.Key, r.Name)
			}
		}
		if e.ValueFrom == nil && secretive(e.Name) && e.Value != "" {
			found("%s has its value in the manifest", e.Name)
		}
	}
	for _, e := range k.EnvFrom {
		if e.SecretRef != nil && !c.hasSecret(e.SecretRef.Name, "") {
			found("reads secret %s, which the example does not list", e.SecretRef.Name)
		}
	}
	return out
}

// ownFiles finds an init container whose work can't be kept.
func ownFiles(k corev1.Container) []string {
	if len(k.VolumeMounts) == 0 {
		return []string{"prepares nothing: it mounts no volume"}
	}
	return nil
}

// probes finds probes that are missing or ask a port that is not there.
func probes(d *appsv1.Deployment, k corev1.Container) (out []string) {
	for name, p := range map[string]*corev1.Probe{"startup": k.StartupProbe, "readiness": k.ReadinessProbe, "liveness": k.LivenessProbe} {
		var at intstr.IntOrString
		switch {
		case p == nil:
			out = append(out, "has no "+name+" probe")
			continue
		case p.HTTPGet != nil:
			at = p.HTTPGet.Port
		case p.TCPSocket != nil:
			at = p.TCPSocket.Port
		}
		if _, ok := portOf(d, at); !ok {
			out = append(out, fmt.Sprintf("its %s probe asks port %s, which it does not have", name, at.String()))
		}
	}
	return out
}

func (c *Cluster) hasConfigMap(name string) bool {
	for _, m := range c.ConfigMaps {
		if m.Name == name {
			return true
		}
	}
	return false
}

// hasSecret tells whether the example lists a secret, and a key of it unless that is "".
func (c *Cluster) hasSecret(name, key string) bool {
	for _, s := range c.Secrets {
		_, ok := s.StringData[key]
		if s.Name == name && (ok || key == "") {
			return true
		}
	}
	return false
}

// unpinned says what is wrong with an image's name: each has a tag that means one build.
func unpinned(image string) string {
	name, digest, pinned := strings.Cut(image, "@")
	if pinned && strings.HasPrefix(digest, "sha256:") {
		return ""
	}
	_, tag, ok := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	if !ok || tag == "" || tag == "latest" || tag == "stable" || !strings.ContainsAny(tag, "0123456789") {
		return fmt.Sprintf("image %q has no tag that stays", image)
	}
	return ""
}

// secretive tells by its name whether a variable's value is nobody's business.
func secretive(name string) bool {
	upper := strings.ToUpper(name)
	if strings.HasSuffix(upper, "_FILE") {
		return false
	}
	for _, part := range []string{"PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "ACCESS_KEY", "PWD"} {
		if strings.Contains(upper, part) {
			return true
		}
	}
	return false
}
