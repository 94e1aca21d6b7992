package check

import (
	"bytes"
	"fmt"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Cluster is what an overlay makes.
type Cluster struct {
	Deployments []*appsv1.Deployment
	Services    []*corev1.Service
	ConfigMaps  []*corev1.ConfigMap
	Secrets     []*corev1.Secret
	Namespaces  []*corev1.Namespace
	Policies    []*networkingv1.NetworkPolicy
	Budgets     []*policyv1.PodDisruptionBudget
}

// Build is `kustomize build DIR`, each document decoded into its type.
func Build(dir string) (*Cluster, error) {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{}
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		if err := c.add(text); err != nil {
			return nil, fmt.Errorf("%s: %w", r.CurId(), err)
		}
	}
	return c, nil
}

// AddFile adds the documents of a file that is no resource of the overlay.
func (c *Cluster) AddFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i, doc := range bytes.Split(text, []byte("\n---\n")) {
		if err := c.add(doc); err != nil {
			return fmt.Errorf("%s, document %d: %w", path, i+1, err)
		}
	}
	return nil
}

// add decodes one document; an unknown kind, an unknown field, one that is there twice
// or spelt in other letters is an error.
func (c *Cluster) add(text []byte) error {
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(data, &kind); err != nil {
		return err
	}
	switch kind.APIVersion + " " + kind.Kind {
	case "apps/v1 Deployment":
		return decode(data, &c.Deployments)
	case "v1 Service":
		return decode(data, &c.Services)
	case "v1 ConfigMap":
		return decode(data, &c.ConfigMaps)
	case "v1 Secret":
		return decode(data, &c.Secrets)
	case "v1 Namespace":
		return decode(data, &c.Namespaces)
	case "networking.k8s.io/v1 NetworkPolicy":
		return decode(data, &c.Policies)
	case "policy/v1 PodDisruptionBudget":
		return decode(data, &c.Budgets)
	}
	return fmt.Errorf("kind %q of %q is not known here", kind.Kind, kind.APIVersion)
}

func decode[T any](data []byte, into *[]*T) error {
	v := new(T)
	strict, err := json.UnmarshalStrict(data, v)
	if err != nil {
		return err
	}
	if len(strict) > 0 {
		return strict[0]
	}
	*into = append(*into, v)
	return nil
}
