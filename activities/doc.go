// Package activities holds the side effects of the workflows, one small struct
// per resource, each with a port (an interface declared here) that package
// stages or the command fills in.
//
//   - Stages: plan, run, commit, keep and fail of any of the seven stages;
//   - Streams: makes a stream read everything again;
//   - Notices: tells the people in charge that a schedule fails.
//
// Every activity heartbeats, also while its stage is silent: so a worker that
// was killed is noticed within HeartbeatTimeout, and a cancellation arrives.
// Errors are translated once, at this edge (errors.go); package workflows
// translates them back.
//
// Invariants: payloads hold references, counts and names, never rows or
// personal values (invariant 10); messages of errors are bounded. Every step
// may be repeated (invariant 2), so an activity that was done but not
// acknowledged is simply done again.
package activities
