package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// finishInterrupted lets a refresh end that a killed or interrupted command left
// behind: it holds the workspace, and nobody but this process works for it. How
// it ends is told, and is no error of the refresh that follows, which does again
// what is missing.
func (a *app) finishInterrupted(ctx context.Context, c client.Client, workspace string) error {
	left, err := workflows.CurrentRefresh(ctx, c, workspace)
	if weir.CodeOf(err) == weir.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	a.sayf("weir: a refresh that has not ended goes on first\n")
	view := a.newProgress()
	snap, err := left.Watch(ctx, view.show)
	view.end()
	if ctx.Err() != nil {
		return weir.Errorf(weir.Unavailable, "interrupted; what was committed stays").Then("weir run")
	}
	if snap.Run.ID != "" {
		a.sayf("weir: run %s ended as %s\n", snap.Run.ID, snap.Outcome)
	} else if err != nil {
		a.sayf("weir: that refresh ended: %v\n", err)
	}
	return nil
}

// releaseDead lets steps that a killed process of ours was doing begin again without
// waiting for their heartbeat. The project's folder is ours alone and no worker of
// this process polls yet, so whoever was doing them on this machine is dead, or is
// nobody who should. What cannot be given back comes back by itself.
func (pl *platform) releaseDead(c client.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), askWait)
	defer cancel()
	began := time.Now()
	n, err := workflows.Release(ctx, c, pl.ends.Namespace, pl.project.Name, deadHere)
	if err != nil {
		pl.app.log.Info("steps of a killed worker wait for their heartbeat", "error", err)
	} else if n > 0 {
		pl.app.log.Info("steps of a killed worker begin again", "steps", n, "took", time.Since(began))
	}
}

// deadHere tells whether a worker ("pid@host@…", as the SDK names it) was a process
// of this machine that has ended. One with our own process id is of an earlier life:
// in a container, say.
func deadHere(identity string) bool {
	pid, rest, _ := strings.Cut(identity, "@")
	host, _, _ := strings.Cut(rest, "@")
	n, err := strconv.Atoi(pid)
	own, herr := os.Hostname()
	if err != nil || herr != nil || host != own || n <= 0 {
		return false
	}
	return n == os.Getpid() || errors.Is(syscall.Kill(n, 0), syscall.ESRCH)
}
