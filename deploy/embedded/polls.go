package embedded

import (
	"context"
	"strings"

	"google.golang.org/grpc"
)

// polls ends the calls that wait for tasks when the server stops. It drains its
// calls before it ends, and these would outlast the second that it gives them:
// each stop would take that second for nothing.
type polls struct {
	stopping context.Context // a state of the server, not of a call
	stop     context.CancelFunc
}

func newPolls() polls {
	stopping, stop := context.WithCancel(context.Background())
	return polls{stopping, stop}
}

// intercept is a grpc.UnaryServerInterceptor. A poll that it ends is to the server
// one whose worker hung up: no task is lost by it.
func (p polls) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	method := info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:]
	if !strings.HasPrefix(method, "Poll") {
		return handler(ctx, req)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.stopping, cancel)()
	return handler(ctx, req)
}
