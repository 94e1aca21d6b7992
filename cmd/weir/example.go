package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/examples/shop/receiver"
)

func (a *app) exampleCommand() *cobra.Command {
	c := &cobra.Command{Use: "example", Short: "Stand-ins for the systems around the example shop", Example: "  weir example receiver"}
	var port int
	var dir string
	r := &cobra.Command{
		Use:   "receiver",
		Short: "Take the webhook deliveries of the example shop, and show what arrived",
		Long: `Stands in for the e-mail tool of the example shop: takes webhook deliveries on
this machine, honours idempotency keys, and holds the rows that a real tool would
now hold. GET /state tells them as JSON. With --dir it goes on where it was.`,
		Example: `  weir example receiver --port 8787
  curl -s localhost:8787/state`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.receiver(cmd.Context(), port, dir) },
	}
	r.Flags().IntVar(&port, "port", 8787, "the port on this machine; 0: a free one")
	r.Flags().StringVar(&dir, "dir", "", "keep what arrives in this folder; default: in memory")
	c.AddCommand(r)
	return c
}

// receiver serves until ctx ends.
func (a *app) receiver(ctx context.Context, port int, dir string) error {
	r := receiver.New()
	if dir != "" {
		var err error
		if r, err = receiver.Open(dir); err != nil {
			return err
		}
		defer r.Close()
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return weir.Errorf(weir.Unavailable, "listen on port %d: %w", port, err).Then("name another --port, and set it in destinations/esp.yaml")
	}
	url := "http://" + l.Addr().String()
	if a.json {
		err = a.printJSON(map[string]string{"url": url, "state": url + "/state"})
	} else {
		a.printf("receiver: takes rows at %s, tells them at %s/state. Stop with Ctrl-C.\n", url, url)
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(end)
	})()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return weir.Errorf(weir.Unavailable, "serve: %w", err)
	}
	return nil
}
