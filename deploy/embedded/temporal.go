package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// Namespace is the one namespace of the embedded server.
const Namespace = "weir"

// retention of ended workflows.
const retention = 30 * 24 * time.Hour

// clusterName is in the files: it may not change.
const clusterName = "active"

type temporalServer struct {
	server  temporal.Server
	address string
	token   bearer
	polls   polls
}

// startTemporal starts the server on its two files and waits until the
// namespace answers.
func startTemporal(ctx context.Context, f folder, port int, token bearer, log *slog.Logger, report func(error)) (*temporalServer, error) {
	history, visibility := database(f.path("temporal/history.db")), database(f.path("temporal/visibility.db"))
	for _, db := range []*config.SQL{history, visibility} {
		if err := setUp(db); err != nil {
			return nil, err
		}
	}
	if err := makeNamespace(history); err != nil {
		return nil, err
	}
	cfg, hosts, err := serverConfig(port, history, visibility)
	if err != nil {
		return nil, err
	}
	lg := serverLog{l: quieter(log, "temporal", slog.LevelInfo), fatal: report}
	inside, err := newInternode(time.Now())
	if err != nil {
		return nil, err
	}
	waits := newPolls()
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(append([]string{string(primitives.InternalFrontendService)}, temporal.DefaultServices...)),
		temporal.WithStaticHosts(hosts), // no gossip, no membership ports
		temporal.WithLogger(lg),
		temporal.WithAuthorizer(authorization.NewDefaultAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return token }),
		temporal.WithTLSConfigFactory(inside),
		temporal.WithDynamicConfigClient(dynamic),
		temporal.WithChainedFrontendGrpcInterceptors(waits.intercept),
	)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "temporal: %w", err)
	}
	if err := server.Start(); err != nil { // returns when all services listen
		return nil, weir.Errorf(weir.Unavailable, "temporal does not start: %w", err).At(f.path("temporal"))
	}
	t := &temporalServer{server: server, address: address(port), token: token, polls: waits}
	if err := t.ready(ctx, log); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	return t, nil
}

// stop may take a few seconds: the services drain.
func (t *temporalServer) stop() error {
	t.polls.stop()
	if err := t.server.Stop(); err != nil {
		return weir.Errorf(weir.Internal, "temporal does not stop: %w", err)
	}
	return nil
}

// ready waits for the namespace and brings that of an older folder up to today's
// retention and search attributes.
func (t *temporalServer) ready(ctx context.Context, log *slog.Logger) error {
	c, err := Endpoints{Temporal: t.address, Namespace: Namespace, token: t.token}.Dial(ctx, log)
	if err != nil {
		return err
	}
	defer c.Close()
	d, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: Namespace})
	if err != nil {
		return weir.Errorf(weir.Unavailable, "temporal: %w", err)
	}
	if err := setRetention(ctx, c, d); err != nil {
		return err
	}
	return workflows.EnsureSearchAttributes(ctx, c, Namespace)
}

func setRetention(ctx context.Context, c client.Client, d *workflowservice.DescribeNamespaceResponse) error {
	if d.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() == retention {
		return nil
	}
	cfg := d.GetConfig()
	cfg.WorkflowExecutionRetentionTtl = durationpb.New(retention)
	_, err := c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{Namespace: Namespace, Config: cfg})
	if err != nil {
		return weir.Errorf(weir.Internal, "temporal: retention: %w", err)
	}
	return nil
}

// database is a SQLite file of the server. Keys that are no URI parameters
// become pragmas. One connection: the server begins transactions deferred, so
// a second one gives SQLITE_BUSY; two files with one each is what helps.
func database(file string) *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: file,
		ConnectAttributes: map[string]string{
			"mode":               "rwc",
			"journal_mode":       "wal",
			"synchronous":        "normal", // a killed process loses nothing
			"busy_timeout":       "10000",
			"cache_size":         "-32768", // KiB
			"temp_store":         "memory",
			"mmap_size":          "0",
			"journal_size_limit": "67108864",
		},
		MaxConns:     1,
		MaxIdleConns: 1,
	}
}

// setUp makes a missing file with its schema. That is no transaction, so it is
// made beside and renamed: a crash leaves no half schema.
func setUp(db *config.SQL) error {
	file := db.DatabaseName
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return unusable(file, err)
		}
		return nil
	}
	side := database(file + ".new")
	side.ConnectAttributes["journal_mode"] = "delete" // one file to rename
	side.ConnectAttributes["synchronous"] = "off"     // renamed only when whole
	for _, suffix := range []string{"", "-journal"} {
		if err := os.Remove(side.DatabaseName + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unusable(file, err)
		}
	}
	if err := sqlite.SetupSchema(side); err != nil {
		return unusable(file, fmt.Errorf("schema: %w", err))
	}
	if err := os.Rename(side.DatabaseName, file); err != nil {
		return unusable(file, err)
	}
	return nil
}

func makeNamespace(db *config.SQL) error {
	want := map[string]enumspb.IndexedValueType{}
	for _, name := range workflows.SearchAttributes() {
		want[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	ns, err := sqlite.NewNamespaceConfig(clusterName, Namespace, false, want)
	if err == nil {
		ns.Detail.Config.Retention = durationpb.New(retention) // hard-coded to 24 h otherwise
		err = sqlite.CreateNamespaces(db, ns)                  // nothing if it is there
	}
	if err != nil {
		return unusable(db.DatabaseName, fmt.Errorf("namespace: %w", err))
	}
	return nil
}

func serverConfig(port int, history, visibility *config.SQL) (*config.Config, map[primitives.ServiceName]static.Hosts, error) {
	hosts := map[primitives.ServiceName]static.Hosts{}
	services := map[string]config.Service{}
	for _, s := range []primitives.ServiceName{primitives.FrontendService, primitives.InternalFrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService} {
		p := port
		if s != primitives.FrontendService {
			var err error
			if p, err = freePort(); err != nil {
				return nil, nil, err
			}
		}
		services[string(s)] = config.Service{RPC: config.RPC{GRPCPort: p, BindOnIP: loopback}}
		hosts[s] = static.SingleLocalHost(address(p))
	}
	cfg := &config.Config{
		Services: services,
		Persistence: config.Persistence{
			DefaultStore:     "history",
			VisibilityStore:  "visibility",
			NumHistoryShards: 1, // in the file: it may not change
			DataStores:       map[string]config.DataStore{"history": {SQL: history}, "visibility": {SQL: visibility}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(port),
				ClusterID: "c2a3e0d4-8e0b-4a7e-9f0e-7765697200de",
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Archival:            config.Archival{History: config.HistoryArchival{State: "disabled"}, Visibility: config.VisibilityArchival{State: "disabled"}},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
	cfg.Global.Membership.MaxJoinDuration = 30 * time.Second
	cfg.Global.Membership.BroadcastAddress = loopback
	return cfg, hosts, nil
}

// dynamic holds the server's settings for one small machine: small caches, no
// rate limits that a single user would meet, one partition per task queue.
var dynamic = dynamicconfig.StaticClient{
	dynamicconfig.HistoryCacheHostLevelMaxSize.Key():                 8192,
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 200,
	dynamicconfig.FrontendRPS.Key():                                  20000,
	dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():           20000,
	dynamicconfig.HistoryRPS.Key():                                   30000,
	dynamicconfig.MatchingRPS.Key():                                  30000,
	dynamicconfig.FrontendPersistenceMaxQPS.Key():                    20000,
	dynamicconfig.HistoryPersistenceMaxQPS.Key():                     30000,
	dynamicconfig.MatchingPersistenceMaxQPS.Key():                    30000,
	dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():           1,
	dynamicconfig.MatchingNumTaskqueueWritePartitions.Key():          1,
}
