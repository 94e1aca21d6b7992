package embedded

import (
	"context"
	"testing"

	"google.golang.org/grpc"
)

func TestPollsEndWhenTheServerStops(t *testing.T) {
	p := newPolls()
	wait := func(ctx context.Context, _ any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	waiting, ended := make(chan struct{}), make(chan error)
	go func() {
		_, err := p.intercept(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/temporal.api.workflowservice.v1.WorkflowService/PollActivityTaskQueue"},
			func(ctx context.Context, req any) (any, error) { close(waiting); return wait(ctx, req) })
		ended <- err
	}()
	<-waiting
	p.stop()
	if err := <-ended; err == nil {
		t.Error("the poll ended as if it had a task")
	}
	_, err := p.intercept(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/temporal.api.workflowservice.v1.WorkflowService/RespondActivityTaskCompleted"},
		func(ctx context.Context, _ any) (any, error) { return nil, ctx.Err() })
	if err != nil {
		t.Errorf("a call that is no poll was ended: %v", err)
	}
}
