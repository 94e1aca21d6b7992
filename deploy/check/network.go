package check

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// flows are who must reach whom, at which port; everybody else must not.
var flows = []string{
	"weir-control weir-job-server 8099", "weir-control weir-job-server 8098", "weir-control weir-jobmanager 8081",
	"weir-pipelines weir-job-server 8099", "weir-pipelines weir-job-server 8098", "weir-pipelines weir-jobmanager 8081",
	"weir-job-server weir-jobmanager 8081",
	"weir-taskmanager weir-jobmanager 6123", "weir-taskmanager weir-jobmanager 6124",
	"weir-jobmanager weir-taskmanager 6122", "weir-jobmanager weir-taskmanager 6121",
	"weir-taskmanager weir-taskmanager 6122", "weir-taskmanager weir-taskmanager 6121",
}

// outside are the ports at which a pod must reach what is no pod of ours; the others
// must reach nothing there.
var outside = map[string][]int32{"weir-control": {443, 7233}, "weir-pipelines": {443, 7233}, "weir-taskmanager": {443}}

// network finds pairs that can't talk and must, or can and must not.
func (c *Cluster) network() (out []string) {
	if !slices.ContainsFunc(c.Policies, func(p *networkingv1.NetworkPolicy) bool {
		return len(p.Spec.PodSelector.MatchLabels)+len(p.Spec.PodSelector.MatchExpressions) == 0 && len(p.Spec.Ingress)+len(p.Spec.Egress) == 0 && len(p.Spec.PolicyTypes) == 2
	}) {
		out = append(out, "network: no policy denies what no other allows")
	}
	for _, p := range c.Policies {
		if s := p.Spec.PodSelector; len(s.MatchLabels)+len(s.MatchExpressions) > 0 && len(c.selected(&s)) == 0 {
			out = append(out, "network: policy "+p.Name+" selects no pod")
		}
	}
	for _, from := range c.Deployments {
		for _, to := range c.Deployments {
			for _, k := range to.Spec.Template.Spec.Containers {
				for _, p := range k.Ports {
					flow := fmt.Sprintf("%s %s %d", from.Name, to.Name, p.ContainerPort)
					must, may := slices.Contains(flows, flow), c.mayReach(from, to, p.ContainerPort)
					switch {
					case must && !may:
						out = append(out, "network: can't reach, and must: "+flow)
					case may && !must:
						out = append(out, "network: can reach, and must not: "+flow)
					}
				}
			}
		}
		if !c.allows(from, networkingv1.PolicyTypeEgress, 53, isNames) {
			out = append(out, "network: "+from.Name+" can't resolve names")
		}
		for _, port := range []int32{443, 7233} {
			must, may := slices.Contains(outside[from.Name], port), c.allows(from, networkingv1.PolicyTypeEgress, port, isOutside)
			if must != may {
				out = append(out, fmt.Sprintf("network: %s, outside, port %d: may %v, must %v", from.Name, port, may, must))
			}
		}
		if c.allows(from, networkingv1.PolicyTypeIngress, 0, isOutside) {
			out = append(out, "network: "+from.Name+" can be reached from outside")
		}
	}
	for _, flow := range flows {
		for _, name := range strings.Fields(flow)[:2] {
			if !slices.ContainsFunc(c.Deployments, func(d *appsv1.Deployment) bool { return d.Name == name }) {
				out = append(out, "network: there is no "+name)
			}
		}
	}
	return append(out, c.metadata()...)
}

// mayReach tells whether the policies of both sides let a connection through.
func (c *Cluster) mayReach(from, to *appsv1.Deployment, port int32) bool {
	return c.allows(from, networkingv1.PolicyTypeEgress, port, isPod(to)) && c.allows(to, networkingv1.PolicyTypeIngress, port, isPod(from))
}

// allows tells whether policies let a pod talk in one direction; 0 is any port. Where no
// policy of that direction selects a pod, all is allowed.
func (c *Cluster) allows(d *appsv1.Deployment, direction networkingv1.PolicyType, port int32, is func(networkingv1.NetworkPolicyPeer) bool) bool {
	selected := false
	for _, p := range c.Policies {
		s, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
		if err != nil || !s.Matches(labels.Set(d.Spec.Template.Labels)) || !slices.Contains(p.Spec.PolicyTypes, direction) {
			continue
		}
		selected = true
		if direction == networkingv1.PolicyTypeEgress {
			for _, r := range p.Spec.Egress {
				if takes(r.To, r.Ports, port, is) {
					return true
				}
			}
			continue
		}
		for _, r := range p.Spec.Ingress {
			if takes(r.From, r.Ports, port, is) {
				return true
			}
		}
	}
	return !selected
}

func takes(peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort, port int32, is func(networkingv1.NetworkPolicyPeer) bool) bool {
	fits := len(ports) == 0 || port == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		return p.Port == nil || p.Port.Type == intstr.Int && p.Port.IntVal == port
	})
	return fits && (len(peers) == 0 || slices.ContainsFunc(peers, is))
}

// isPod is a peer that takes a deployment's pods, in the same namespace.
func isPod(d *appsv1.Deployment) func(networkingv1.NetworkPolicyPeer) bool {
	return func(p networkingv1.NetworkPolicyPeer) bool {
		if p.PodSelector == nil || p.NamespaceSelector != nil {
			return false
		}
		s, err := metav1.LabelSelectorAsSelector(p.PodSelector)
		return err == nil && s.Matches(labels.Set(d.Spec.Template.Labels))
	}
}

func isOutside(p networkingv1.NetworkPolicyPeer) bool { return p.IPBlock != nil }

func isNames(p networkingv1.NetworkPolicyPeer) bool {
	return p.NamespaceSelector != nil && p.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] == "kube-system"
}

// metadata finds policies that let pods ask the cloud who their machine is.
func (c *Cluster) metadata() (out []string) {
	for _, p := range c.Policies {
		for _, r := range p.Spec.Egress {
			for _, to := range r.To {
				if to.IPBlock != nil && strings.HasSuffix(to.IPBlock.CIDR, "/0") && !slices.Contains(to.IPBlock.Except, "169.254.0.0/16") {
					out = append(out, "network: policy "+p.Name+" opens the cloud's metadata service")
				}
			}
		}
	}
	return out
}
