package arch

// A room is a folder with its rule of imports. The standard library is always
// allowed. In may and tests, "@/x" is a package of Weir ("@" the root package),
// and a trailing "/..." means the package and all below it.
type room struct {
	path  string   // "a/b", or "a/*" for each direct subfolder of a, or "a/..." for all below; "." is the root
	may   []string // what its files may import
	tests []string // what its tests may import beyond that, beside testLibraries and its own room
	open  bool     // may import anything; then nothing may import it
	why   string
}

// libraries, by what they are for.
const (
	arrow    = "github.com/apache/arrow-go/v18/..."
	beam     = "github.com/apache/beam/sdks/v2/..."
	iceberg  = "github.com/apache/iceberg-go/..."
	parquet  = "github.com/parquet-go/parquet-go/..."
	duckdb   = "github.com/duckdb/duckdb-go/v2/..."
	opa      = "github.com/open-policy-agent/opa/..."
	temporal = "go.temporal.io/..."
	s3       = "github.com/minio/minio-go/v7/..."
	decimal  = "github.com/shopspring/decimal"
	text     = "golang.org/x/text/..."
	syncs    = "golang.org/x/sync/..."
	nearest  = "github.com/agnivade/levenshtein" // "did you mean …?"
)

// rooms is the table of section 3 of the design. The first that fits a package is
// its rule; a package that fits none fails the test.
var rooms = []room{
	{path: ".", why: "everybody imports the nouns, so they may drag nothing in"},
	{path: "workflows", may: []string{"@", "@/activities", "go.temporal.io/sdk/...", "go.temporal.io/api/..."},
		why: "orchestration is replayed: it knows names and payloads, never what the work is done with"},
	{path: "activities", may: []string{"@", "go.temporal.io/sdk/...", "go.temporal.io/api/serviceerror"}, tests: []string{"go.temporal.io/api/..."},
		why: "the edge to Temporal: what does the work comes through ports declared here"},
	{path: "stages", may: []string{"@", "@/project", "@/lakehouse/...", "@/pipelines/...", "@/policies/...", "@/connectors", "@/activities",
		arrow, syncs, "golang.org/x/time/rate", "github.com/prometheus/client_golang/prometheus/..."},
		tests: []string{"@/connectors/...", "@/test/postgrestest"},
		why:   "composes the stages without Temporal and without naming a connector, so that they can be run and tested alone"},
	{path: "pipelines/scratch", may: []string{"@", "github.com/klauspost/compress/s2"}, why: "the engine's own format: it knows rows, not stages"},
	{path: "pipelines", may: []string{"@", "@/pipelines/scratch", "@/lakehouse/object", "@/lakehouse/rowfile", "@/lakehouse/schema", beam, arrow, syncs},
		why: "the worker next to a cluster links no Iceberg, DuckDB, OPA or Temporal: it reads and writes files"},
	{path: "pipelines/jobservice", may: []string{"@", "@/pipelines", "@/lakehouse/object", beam, "google.golang.org/grpc/...", "google.golang.org/protobuf/..."},
		why: "clusters are reached from here alone: the engine and the stages don't know where they run"},
	{path: "pipelines/roster", may: []string{"@", "@/pipelines", "@/pipelines/conform", "@/pipelines/resolve", "@/pipelines/unify", "@/pipelines/segment"},
		why: "one list for the submitter and the worker"},
	{path: "pipelines/*", may: []string{"@", "@/pipelines", "@/pipelines/conform/...", "@/pipelines/resolve/...", "@/pipelines/unify/...", "@/pipelines/segment/...",
		"@/lakehouse/schema", arrow, decimal},
		tests: []string{"@/lakehouse/object", "@/lakehouse/rowfile", "github.com/parquet-go/parquet-go"},
		why:   "a stage says what its steps do; how they run on Beam is the engine's"},
	{path: "pipelines/segment/score/...", may: []string{"@", "@/pipelines/segment/...", decimal, "gonum.org/v1/gonum/..."},
		why: "statistics by a library made for them; like every algorithm, pure"},
	{path: "pipelines/*/*", may: []string{"@", "@/pipelines/conform/...", "@/pipelines/resolve/...", "@/pipelines/unify/...", "@/pipelines/segment/...",
		decimal, text, nearest, "github.com/google/cel-go/...", "github.com/nyaruka/phonenumbers", "golang.org/x/net/idna", "golang.org/x/net/publicsuffix"},
		tests: []string{"go.yaml.in/yaml/v3"},
		why:   "an algorithm is pure, so that it also works on one profile, live, and can be tested on values"},
	{path: "policies", may: []string{"@", "@/policies/...", opa, nearest, "go.yaml.in/yaml/v3"},
		why: "the gate is the only place that asks OPA"},
	{path: "policies/plan", may: []string{"@", opa}, why: "what a compiled policy reads: rules in, paths out"},
	{path: "policies/permit", may: []string{"@", "@/policies/internal/mint"}, why: "connectors import it: what Deliver takes, without OPA"},
	{path: "policies/permit/permittest", may: []string{"@", "@/policies/permit", "@/policies/internal/mint"}, why: "batches for tests of destinations"},
	{path: "policies/internal/mint", may: []string{"@"}, why: "the gate's own types, which nobody else can make"},
	{path: "policies/revisions", may: []string{"@", "filippo.io/age/..."}, why: "who signed what is decided by bytes, keys and a log: no store, no clock"},
	{path: "policies/consents", may: []string{"@"}, why: "the fold of consents is an algorithm: facts in, standing out"},
	{path: "policies/ledger", may: []string{"@", "github.com/transparency-dev/merkle/..."}, why: "the arithmetic of the proof is pure: entries in, hashes out"},
	{path: "policies/signals", may: []string{"@", "github.com/prebid/...", "github.com/LiveRamp/iabconsent"}, why: "decoding what browsers send is pure: texts in, facts out"},
	{path: "connectors", may: []string{"@", "@/policies/permit", arrow, nearest}, why: "the SPI names what a connector gives and takes, and no system"},
	{path: "connectors/connectortest", may: []string{"@", "@/connectors", "@/policies/permit/...", arrow}, why: "the suite of every connector"},
	{path: "connectors/*", may: []string{"@", "@/connectors", "@/policies/permit", arrow, s3, text, "golang.org/x/net/...", syncs,
		"github.com/bmatcuk/doublestar/v4", "github.com/go-json-experiment/json/...", "github.com/jackc/pgx/v5/...", "github.com/klauspost/compress/..."},
		tests: []string{"@/connectors/connectortest", "@/policies/permit/permittest", "@/test/postgrestest"},
		why:   "a connector knows its system and the SPI; never another connector, the lake or the orchestration"},
	{path: "lakehouse", may: []string{"@", "@/lakehouse/object", "@/lakehouse/rowfile", "@/lakehouse/schema", iceberg, arrow, syncs, "github.com/google/uuid", "modernc.org/sqlite"},
		tests: []string{"@/test/clustertest"}, why: "the only room that speaks Iceberg"},
	{path: "lakehouse/object", may: []string{"@", s3}, why: "bytes in a bucket"},
	{path: "lakehouse/object/objecttest", may: []string{"@/lakehouse/object", "github.com/johannesboyne/gofakes3/..."}, why: "a bucket for tests"},
	{path: "lakehouse/vault", may: []string{"@", "@/lakehouse/object", syncs}, why: "salts lie outside of tables, so that destroying one reaches every snapshot"},
	{path: "lakehouse/schema", may: []string{"@", arrow}, why: "declarations of tables, readable without a catalog"},
	{path: "lakehouse/rowfile", may: []string{"@", "@/lakehouse/object", "@/lakehouse/schema", arrow, parquet}, why: "the lean worker's reader and writer"},
	{path: "lakehouse/sql", may: []string{"@", "@/lakehouse/object", "@/lakehouse/schema", duckdb}, tests: []string{"@/lakehouse/rowfile"},
		why: "DuckDB in a room of its own, so that the lean worker does without"},
	{path: "project", may: []string{"@", "@/connectors", "@/policies/revisions", "go.yaml.in/yaml/v3", nearest}, why: "definitions are checked against what connectors declare, before anything runs"},
	{path: "deploy/embedded", may: []string{"@", "@/lakehouse/object", "@/workflows", temporal, syncs, s3, "google.golang.org/protobuf/...",
		"github.com/temporalio/ui-server/v2/...", "github.com/labstack/echo/v4/...", "google.golang.org/grpc", "google.golang.org/grpc/metadata", "github.com/versity/versitygw/...", "github.com/klauspost/compress/zstd", "github.com/pkg/xattr"},
		tests: []string{"@/activities", "google.golang.org/grpc/..."},
		why:   "the parts inside one process: Temporal's server and the S3 gateway stay here"},
	{path: "examples/...", may: []string{"@", "@/examples/...", parquet, text}, tests: []string{"@/connectors/...", "@/policies/permit/..."},
		why: "makes files of systems and receives deliveries, and knows nothing of the platform"},
	{path: "cmd/...", open: true, why: "reads flags, wires, runs"},
	{path: "deploy/check", open: true, why: "a module of its own, with Kubernetes' and Compose's libraries, which no other package may need"},
	{path: "test/...", open: true, why: "tests across rooms, and what tests start"},
}

// testLibraries may be imported by every test.
var testLibraries = []string{
	"github.com/google/go-cmp/...", "pgregory.net/rapid", "github.com/johannesboyne/gofakes3/...", "github.com/stretchr/testify/mock",
	"@/lakehouse/object/objecttest",
}

// engine is a library that stays in its rooms, tests included: linking it costs
// minutes and megabytes, or ties code to one product.
type engine struct {
	prefix string
	rooms  []string
	why    string
}

var engines = []engine{
	{"go.temporal.io/", []string{"workflows", "activities", "cmd/...", "deploy/embedded", "test/..."}, "holds progress only; work must run without it"},
	{"github.com/apache/beam/", []string{"pipelines", "pipelines/jobservice", "cmd/...", "test/..."}, "registers process globals; algorithms must run without it"},
	{"github.com/open-policy-agent/", []string{"policies", "policies/plan", "test/..."}, "one gate, one place that evaluates"},
	{"github.com/duckdb/", []string{"lakehouse/sql", "test/..."}, "a C library that the lean worker does without"},
	{"github.com/apache/iceberg-go", []string{"lakehouse", "test/..."}, "the lake's façade hides the format"},
}

// apart are rooms that must not reach others, not even through a third.
var apart = []struct {
	from, to []string
	why      string
}{
	{[]string{"pipelines", "pipelines/*", "pipelines/*/*"}, []string{"lakehouse", "lakehouse/sql", "policies", "workflows", "activities", "connectors", "stages"},
		"the lean worker links none of them"},
	{[]string{"cmd/weir-pipeline"}, []string{"lakehouse", "lakehouse/sql", "policies", "workflows", "activities", "connectors", "stages", "project", "deploy/embedded"},
		"it is copied to every machine of a cluster: no DuckDB, no Temporal"},
	{[]string{"connectors/*"}, []string{"policies", "lakehouse", "workflows", "activities", "stages", "project"}, "a connector can be built and tested alone"},
	{[]string{"workflows", "activities"}, []string{"stages", "lakehouse", "pipelines", "policies", "connectors", "project"}, "a worker of workflows alone stays small, and replay touches nothing"},
	{[]string{"policies/*", "policies/internal/*"}, []string{"policies"}, "what connectors see of the gate brings no OPA"},
}

// pure are the packages that may not read a clock or the global random source:
// their output is a function of their input.
var pure = []string{".", "pipelines/...", "policies/...", "lakehouse/schema", "workflows"}

// clientSide are the files of workflows that no worker replays, and of pipelines that
// only watch what a cluster does.
var clientSide = []string{"workflows/watch.go", "workflows/attended.go", "workflows/probe.go", "workflows/versions.go", "pipelines/jobservice/follow.go"}
