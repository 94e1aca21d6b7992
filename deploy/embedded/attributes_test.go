package embedded

import (
	"context"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// guest is a client whose key may see and add what the test says.
type guest struct {
	client.Client
	list    []string // custom search attributes; nil: it may not ask
	aliases []string // as the namespace describes itself
	add     error
	added   []string
}

func (g *guest) OperatorService() operatorservice.OperatorServiceClient { return operator{guest: g} }
func (g *guest) WorkflowService() workflowservice.WorkflowServiceClient { return frontend{guest: g} }

type operator struct {
	operatorservice.OperatorServiceClient
	guest *guest
}

type frontend struct {
	workflowservice.WorkflowServiceClient
	guest *guest
}

func (o operator) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	g := o.guest
	if g.list == nil {
		return nil, serviceerror.NewPermissionDenied("not you", "")
	}
	out := &operatorservice.ListSearchAttributesResponse{CustomAttributes: map[string]enumspb.IndexedValueType{}}
	for _, name := range g.list {
		out.CustomAttributes[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	return out, nil
}

func (o operator) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest, _ ...grpc.CallOption) (*operatorservice.AddSearchAttributesResponse, error) {
	g := o.guest
	for name := range r.GetSearchAttributes() {
		g.added = append(g.added, name)
	}
	return &operatorservice.AddSearchAttributesResponse{}, g.add
}

func (f frontend) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
	aliases := map[string]string{}
	for i, name := range f.guest.aliases {
		aliases["Keyword0"+string(rune('1'+i))] = name
	}
	return &workflowservice.DescribeNamespaceResponse{Config: &namespacepb.NamespaceConfig{CustomSearchAttributeAliases: aliases}}, nil
}

// TestSearchAttributesOfAGuest: those that lack are added; a key that may not add them
// is told what an administrator has to run; one that may not even ask, and finds them,
// goes on.
func TestSearchAttributesOfAGuest(t *testing.T) {
	all, denied := workflows.SearchAttributes(), serviceerror.NewPermissionDenied("not you", "")
	for name, x := range map[string]struct {
		guest
		added int
		code  weir.Code
	}{
		"all there":                 {guest{list: all}, 0, ""},
		"two lack":                  {guest{list: all[:1]}, 2, ""},
		"another worker was faster": {guest{list: []string{}, add: serviceerror.NewAlreadyExists("there")}, 3, ""},
		"may not add":               {guest{list: all[:1], add: denied}, 2, weir.Denied},
		"may not ask, all there":    {guest{aliases: all, add: denied}, 0, ""},
		"may not ask, one lacks":    {guest{aliases: all[:2], add: denied}, 1, weir.Denied},
		"the server can't":          {guest{list: []string{}, add: serviceerror.NewUnimplemented("no")}, 3, weir.Denied},
	} {
		g := x.guest
		err := workflows.EnsureSearchAttributes(t.Context(), &g, "crm")
		if len(g.added) != x.added || (err == nil) != (x.code == "") || err != nil && weir.CodeOf(err) != x.code {
			t.Errorf("%s: added %v, %v", name, g.added, err)
		}
		if err != nil {
			for _, lacking := range g.added {
				if !strings.Contains(err.Error(), "temporal operator search-attribute create --namespace crm") || !strings.Contains(err.Error(), "--name "+lacking+" --type Keyword") {
					t.Errorf("%s: it does not say what to run: %v", name, err)
				}
			}
		}
	}
}
