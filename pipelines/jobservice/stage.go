package jobservice

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"

	"github.com/weir-cdp/weir"
)

// stage tells the service that there are no files to send: it waits for that.
func (s *service) stage(ctx context.Context, prepared *jobpb.PrepareJobResponse) error {
	ctx = grpcx.WriteWorkerID(ctx, prepared.GetPreparationId())
	endpoint := prepared.GetArtifactStagingEndpoint().GetUrl()
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return weir.Errorf(weir.Invalid, "the job service names a staging endpoint that is no address: %w", err).At(endpoint)
	}
	defer conn.Close()
	err = sendNothing(ctx, jobpb.NewArtifactStagingServiceClient(conn), prepared.GetStagingSessionToken())
	var known *weir.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known.At(endpoint)
	}
	return weir.Errorf(weir.Unavailable, "Beam's job service names a staging endpoint that does not answer: %s", cut(err.Error())).At(endpoint).
		Then("start the job server with the --job-host by which this machine reaches it")
}

// sendNothing answers what the staging service asks until it is content. Beam's own client
// sends any file of this machine that is asked for, and nobody knows who asks: this one
// has none to send.
func sendNothing(ctx context.Context, client jobpb.ArtifactStagingServiceClient, token string) error {
	ctx, cancel := context.WithCancel(ctx) // ends the stream
	defer cancel()
	stream, err := client.ReverseArtifactRetrievalService(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&jobpb.ArtifactResponseWrapper{StagingToken: token}); err != nil && !errors.Is(err, io.EOF) { // EOF: Recv tells why
		return err
	}
	for {
		asked, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if asked.GetResolveArtifact() == nil {
			return weir.Errorf(weir.Denied, "the job service asks for a file of this machine, and a job of Weir's has none").
				Then("find out what listens at runner.job_service of weir.yaml, and whether it is Beam's job server " + beamVersion)
		}
		none := &jobpb.ArtifactResponseWrapper{Response: &jobpb.ArtifactResponseWrapper_ResolveArtifactResponse{ResolveArtifactResponse: &jobpb.ResolveArtifactsResponse{}}}
		if err := stream.Send(none); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
}
