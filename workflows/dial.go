package workflows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
)

// dialWait bounds how long a server is waited for.
const dialWait = 20 * time.Second

// Dial connects to a Temporal server of somebody else's, and brings its namespace up
// to SearchAttributes.
func Dial(ctx context.Context, o client.Options) (client.Client, error) {
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	short, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	c, err := client.DialContext(short, o)
	if err == nil {
		if err = checkNamespace(short, c, o.Namespace); err == nil {
			err = EnsureSearchAttributes(short, c, o.Namespace)
		}
		if err != nil {
			c.Close()
		}
	}
	if err == nil || ctx.Err() != nil {
		return c, errors.Join(err, ctx.Err())
	}
	return nil, dialFailed(o, err)
}

// dialFailed says what to look at.
func dialFailed(o client.Options, err error) error {
	var known *weir.Error
	var denied *serviceerror.PermissionDenied
	said := err.Error()
	errors.As(err, &known)
	switch {
	case errors.As(err, &denied), known == nil && (strings.Contains(said, "Unauthenticated") || strings.Contains(said, "PermissionDenied")):
		return weir.Errorf(weir.Denied, "temporal at %s refuses us: %w", o.HostPort, err).
			Then("check temporal.api_key (it may have expired, or be for another namespace) or temporal.tls.cert in weir.yaml")
	case known != nil:
		return err
	case strings.Contains(said, "certificate"), strings.Contains(said, "tls:"):
		return weir.Errorf(weir.Denied, "temporal at %s: no trusted connection: %w", o.HostPort, err).
			Then("check temporal.tls in weir.yaml: true for certificates that the system trusts, else ca, cert, key, server_name")
	}
	return weir.Errorf(weir.Unavailable, "temporal at %s: %w", o.HostPort, err).
		Then("check temporal.address in weir.yaml, that it is up, and whether it wants TLS (temporal.tls)")
}

func checkNamespace(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	var missing *serviceerror.NamespaceNotFound
	var none *serviceerror.NotFound
	switch {
	case errors.As(err, &missing), errors.As(err, &none):
		return weir.Errorf(weir.NotFound, "temporal has no namespace %q", namespace).
			Then("create it (temporal operator namespace create --namespace " + namespace + "), or correct temporal.namespace in weir.yaml")
	case isDenied(err):
		return nil // a key may be kept from describing what it may use
	}
	return err
}

func isDenied(err error) bool {
	var denied *serviceerror.PermissionDenied
	return errors.As(err, &denied)
}

// EnsureSearchAttributes brings a namespace up to SearchAttributes; needed once
// for a Temporal server of one's own. Denied: this key may not, and an administrator
// has to.
func EnsureSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if err != nil || len(missing) == 0 {
		return err
	}
	add := map[string]enumspb.IndexedValueType{}
	for _, name := range missing {
		add[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: add})
	var exists *serviceerror.AlreadyExists
	var unknown *serviceerror.Unimplemented
	switch {
	case errors.As(err, &exists):
		return nil // another worker was faster
	case isDenied(err), errors.As(err, &unknown):
		return weir.Errorf(weir.Denied, "temporal: the namespace %s lacks search attributes (%s), and this key may not add them", namespace, strings.Join(missing, ", ")).
			Then("have an administrator run: " + AddAttributesCommand(namespace, missing))
	}
	return unreachable(err)
}

// MissingSearchAttributes lists those that a namespace lacks. A key that may not ask
// for them reads what the namespace says of itself.
func MissingSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	var names []string
	list, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err == nil {
		names = slices.Collect(maps.Keys(list.GetCustomAttributes()))
	} else {
		d, again := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		if again != nil {
			return nil, unreachable(err)
		}
		names = slices.Collect(maps.Values(d.GetConfig().GetCustomSearchAttributeAliases()))
	}
	return slices.DeleteFunc(SearchAttributes(), func(name string) bool { return slices.Contains(names, name) }), nil
}

// AddAttributesCommand is what an administrator runs with Temporal's own program.
func AddAttributesCommand(namespace string, names []string) string {
	command := "temporal operator search-attribute create --namespace " + namespace
	for _, name := range names {
		command += fmt.Sprintf(" --name %s --type Keyword", name)
	}
	return command
}
