// Package check holds what deploy/ has for Docker, Compose and Kubernetes to what it
// must be, without running any of it: documents decode strictly into Kubernetes' own
// types, Compose's own loader takes the compose file, and cross checks of ours hold
// between them (selectors, ports, secrets, network policies, images, security).
//
// It is a module of its own, so that Kubernetes' and Compose's libraries are no
// dependencies of Weir. `make test-deploy` runs it. Each check has a test with a
// manifest that it must find broken.
package check
