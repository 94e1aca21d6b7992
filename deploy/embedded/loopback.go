package embedded

import (
	"context"
	"net"
	"time"

	"github.com/weir-cdp/weir"
)

// loopbackWait bounds one connection to this machine itself.
const loopbackWait = 5 * time.Second

// Loopback says that the loopback interface can't be used (Unavailable), or nil. Some
// containers and network namespaces have one that is down: a program can listen there
// and nobody can connect, which Temporal's server does not survive.
func Loopback(ctx context.Context) error {
	l, err := net.Listen("tcp", address(0))
	if err != nil {
		return noLoopback(err)
	}
	defer l.Close()
	c, err := (&net.Dialer{Timeout: loopbackWait}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return noLoopback(err)
	}
	return c.Close()
}

func noLoopback(err error) error {
	return weir.Errorf(weir.Unavailable, "the loopback interface can't be used: %w", err).
		Then("the embedded parts talk over " + loopback + ": bring it up (ip link set lo up), or name parts of your own in weir.yaml (docs/embedded.md)")
}
