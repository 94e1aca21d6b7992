package embedded

import (
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is Temporal's web interface.
type webUI struct {
	server *uiserver.Server
	url    string
	ended  chan struct{}
}

// startUI serves on a port that was free a moment ago: the interface's server
// ends the whole process when it is not.
func startUI(port int, frontend string) *webUI {
	u := &webUI{url: "http://" + address(port), ended: make(chan struct{})}
	u.server = uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host: loopback, Port: port, TemporalGRPCAddress: frontend, EnableUI: true,
		DefaultNamespace: Namespace, HideLogs: true,
		DisableNewsFetch: true, NotifyOnNewVersion: false, // it must not call home
		CORS:            uiconfig.CORS{CookieInsecure: true},
		RefreshInterval: 24 * time.Hour,
	}))
	go func() {
		defer close(u.ended)
		_ = u.server.Start() // always nil: it exits on errors
	}()
	return u
}

func (u *webUI) stop() {
	u.server.Stop()
	<-u.ended
}
