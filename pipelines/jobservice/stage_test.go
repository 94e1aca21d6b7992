package jobservice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/protobuf/proto"

	"github.com/weir-cdp/weir"
)

// ReverseArtifactRetrievalService asks, after the token, which files there are, and for
// one that it has made up.
func (c *cluster) ReverseArtifactRetrievalService(s jobpb.ArtifactStagingService_ReverseArtifactRetrievalServiceServer) error {
	if _, err := s.Recv(); err != nil {
		return err
	}
	if err := s.Send(&jobpb.ArtifactRequestWrapper{Request: &jobpb.ArtifactRequestWrapper_ResolveArtifact{ResolveArtifact: &jobpb.ResolveArtifactsRequest{}}}); err != nil {
		return err
	}
	if _, err := s.Recv(); err != nil || c.wants == "" {
		return err
	}
	payload, err := proto.Marshal(&pipepb.ArtifactFilePayload{Path: c.wants})
	if err != nil {
		return err
	}
	file := &pipepb.ArtifactInformation{TypeUrn: "beam:artifact:type:file:v1", TypePayload: payload}
	if err := s.Send(&jobpb.ArtifactRequestWrapper{Request: &jobpb.ArtifactRequestWrapper_GetArtifact{GetArtifact: &jobpb.GetArtifactRequest{Artifact: file}}}); err != nil {
		return err
	}
	for {
		got, err := s.Recv()
		if err != nil {
			return nil //nolint:nilerr // the client has hung up
		}
		if data := got.GetGetArtifactResponse().GetData(); len(data) > 0 {
			c.t.Errorf("was sent %q", data)
		}
	}
}

// TestNoFileIsSent: whoever answers as job service gets no file of this machine.
func TestNoFileIsSent(t *testing.T) {
	c := newCluster(t)
	c.wants = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(c.wants, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.onRun = func(c *cluster, id string) { c.complete(); c.set(id, "FINISHED") }
	_, err := c.runner().Run(t.Context(), specKey, nil)
	if weir.CodeOf(err) != weir.Denied || !strings.Contains(err.Error(), "runner.job_service") {
		t.Errorf("got %v", err)
	}
	if len(c.jobs) != 0 {
		t.Errorf("the job ran all the same: %v", c.jobs)
	}
}
