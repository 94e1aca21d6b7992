package workflows

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// Builds of the control worker are versions of one Worker Deployment per workspace.
// Every workflow moves on to the current build (auto-upgrade): a build replays what
// older ones wrote (invariant 9), so a long run survives an upgrade, and workers of
// older builds are given no workflow any more, so they can't meet a history that they
// don't know. Activities are bound to no build: what they take and give is versioned by
// name.

// DeploymentName is the name of a workspace's Worker Deployment.
func DeploymentName(workspace string) string { return "weir-" + workspace }

// deploymentOptions make a worker one of a build; "": of none.
func deploymentOptions(workspace, build string) worker.DeploymentOptions {
	if build == "" {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{UseVersioning: true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: DeploymentName(workspace), BuildID: build},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade}
}

// CurrentBuild is the build that a workspace's workflows run on; "": none yet. Versioned
// is false for a server that knows no Worker Deployments.
func CurrentBuild(ctx context.Context, c client.Client, workspace string) (build string, versioned bool, err error) {
	d, err := c.WorkerDeploymentClient().GetHandle(DeploymentName(workspace)).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	var missing *serviceerror.NotFound
	var unknown *serviceerror.Unimplemented
	switch {
	case errors.As(err, &missing):
		return "", true, nil
	case errors.As(err, &unknown), err != nil && strings.Contains(err.Error(), "is disabled"):
		return "", false, nil
	case err != nil:
		return "", false, unreachable(err)
	}
	if v := d.Info.RoutingConfig.CurrentVersion; v != nil {
		build = v.BuildID
	}
	return build, true, nil
}

// seenWait is how long a new build's first poll may take to be known to the server.
const seenWait = time.Minute

// TakeOver makes a build, whose control worker polls, the one that workflows run on,
// unless that is a newer one: builds are named so that newer ones sort after older
// ones. Force takes over from a newer one too. It returns the build that is current
// then; Denied: the key may not decide that.
func TakeOver(ctx context.Context, c client.Client, workspace, build string, force bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, seenWait)
	defer cancel()
	h := c.WorkerDeploymentClient().GetHandle(DeploymentName(workspace))
	for {
		current, _, err := CurrentBuild(ctx, c, workspace)
		if err != nil {
			return "", err
		}
		if current == build || current > build && !force {
			return current, nil
		}
		_, err = h.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build, IgnoreMissingTaskQueues: true})
		if err == nil {
			return build, nil
		}
		if isDenied(err) {
			return current, weir.Errorf(weir.Denied, "temporal: this key may not make build %s the current one: %w", build, err).
				Then("have an administrator run: temporal worker deployment set-current-version --deployment-name " + DeploymentName(workspace) + " --build-id " + build)
		}
		select { // the server does not know the build yet, or another worker decides too
		case <-ctx.Done():
			return current, weir.Errorf(weir.Unavailable, "temporal: build %s can't be made the current one: %w", build, err).
				Then("start the worker again, or: temporal worker deployment set-current-version --deployment-name " + DeploymentName(workspace) + " --build-id " + build)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
