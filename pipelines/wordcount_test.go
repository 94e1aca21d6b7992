package pipelines

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// What the test pipeline does beside its work, by environment.
const (
	hangEnv  = "WEIR_TEST_HANG"  // the count step says its process id and never ends
	failEnv  = "WEIR_TEST_FAIL"  // the count step fails
	panicEnv = "WEIR_TEST_PANIC" // the count step panics
	parentOf = "WEIR_TEST_PARENT_OF"
)

// TestMain is also the child's main function, and that of a parent to be killed.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "pipeline":
		var on Executor = Direct{}
		if os.Getenv(prismEnv) != "" {
			on = prismRunner{}
		}
		if err := Main(context.Background(), on, os.Args[2], testStages); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case os.Getenv(parentOf) != "":
		var config object.Config
		if err := json.Unmarshal([]byte(os.Getenv(StoreEnv)), &config); err != nil {
			panic(err)
		}
		_, err := RunChild(context.Background(), Child{Store: config, Dir: os.Getenv("TMPDIR"), Env: []string{hangEnv + "=1"}},
			os.Getenv(parentOf), nil)
		fmt.Fprintln(os.Stderr, "the child ended before its parent:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var testStages = map[weir.Stage]Pipeline{weir.Segment: wordCount}

// wordCount counts the properties' words of events. The source step tells the
// last step of each event's name past the middle one.
var wordCount = Pipeline{
	Stage:   weir.Segment,
	Sources: []string{"core.e*"},
	Steps:   []Step{{"split", splitStep}, {"count", countStep}, {"write", writeStep}},
	Outputs: func(*Spec) ([]weir.TableFiles, error) {
		return []weir.TableFiles{{Table: "core.traits", Scope: "words", Replace: true}, {Table: "core.traits", Scope: "gone", Replace: true}}, nil
	},
}

type word struct {
	Text string `parquet:"text,dict"`
	N    int64  `parquet:"n"`
}

type seenName struct {
	Name string `parquet:"name"`
}

func splitStep(ctx context.Context, t *Task) error {
	n := t.Spec().Partitions
	for e, err := range Rows[weir.Event](ctx, t) {
		if err != nil {
			return err
		}
		if e.Name == "bad" {
			q := weir.Quarantined{Source: e.Source, Stream: e.Stream, Origin: e.ID, Reason: "a bad event", Withheld: true}
			if err := Quarantine(t, q); err != nil {
				return err
			}
			continue
		}
		for _, name := range sortedKeys(e.Properties) {
			w := e.Properties[name]
			if err := Emit(t, "words", PartitionOf(w, n), word{w, 1}); err != nil {
				return err
			}
			t.Count("words", 1)
		}
		if err := Emit(t, "write:names", PartitionOf(e.Name, n), seenName{e.Name}); err != nil {
			return err
		}
	}
	return nil
}

func countStep(ctx context.Context, t *Task) error {
	switch {
	case os.Getenv(failEnv) != "":
		return weir.Errorf(weir.Unavailable, "the count step was told to fail")
	case os.Getenv(panicEnv) != "":
		panic("a value that nobody may see")
	case os.Getenv(hangEnv) != "":
		if _, err := t.Store().PutIfAbsent(ctx, "pid", []byte(strconv.Itoa(os.Getpid()))); err != nil {
			return err
		}
		select {}
	}
	counts := map[string]int64{}
	for w, err := range Stream[word](ctx, t, "words") {
		if err != nil {
			return err
		}
		counts[w.Text] += w.N
	}
	for _, w := range sortedKeys(counts) {
		if err := Emit(t, "counts", t.Partition(), word{w, counts[w]}); err != nil {
			return err
		}
	}
	return nil
}

func writeStep(ctx context.Context, t *Task) error {
	counts, err := Read[word](ctx, t, "counts")
	if err != nil {
		return err
	}
	names, err := Read[seenName](ctx, t, "names")
	if err != nil {
		return err
	}
	secret, err := t.Secret("workspace")
	if err != nil {
		return err
	}
	rows := []weir.TraitValue{}
	for _, w := range counts {
		rows = append(rows, weir.TraitValue{ProfileID: w.Text, Trait: "count", Number: strconv.FormatInt(w.N, 10)})
	}
	for _, n := range names {
		rows = append(rows, weir.TraitValue{ProfileID: n.Name, Trait: "name " + secret, Text: "seen"})
	}
	slices.SortFunc(rows, func(a, b weir.TraitValue) int {
		return cmp.Or(cmp.Compare(a.ProfileID, b.ProfileID), cmp.Compare(a.Trait, b.Trait))
	})
	rows = slices.Compact(rows)
	out, err := Output[weir.TraitValue](t, "core.traits", "words")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := out.Write(r); err != nil {
			return err
		}
	}
	t.Count("distinct", int64(len(counts)))
	return nil
}

// bench is a store over HTTP with some events in it.
type bench struct {
	t      *testing.T
	config object.Config
	store  *object.Store
	spec   Spec
	truth  map[string]int64
}

func newBench(t *testing.T, events int) *bench {
	t.Helper()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	b := &bench{t: t, truth: map[string]int64{}, config: object.Config{
		Endpoint: server.URL, Bucket: "lake", Prefix: "w", AccessKey: "k", SecretKey: "s", PathStyle: true, Retries: 2}}
	ctx := t.Context()
	if err := object.CreateBucket(ctx, b.config); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.store, err = object.Open(ctx, b.config); err != nil {
		t.Fatal(err)
	}
	tables := map[string]schema.Table{}
	for _, d := range schema.Fixed() {
		tables[d.Name] = d.WithIDs()
	}
	b.spec = Spec{
		Run:   weir.Run{Workspace: "shop", ID: "20260101T000000Z-a", Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		Stage: weir.Segment, Inputs: map[string][]weir.DataFile{"core.events": b.events(tables["core.events"], events), "core.profiles": nil},
		Schemas: tables, Params: json.RawMessage(`{}`), Partitions: 5,
	}
	return b
}

// events writes four files of events.
func (b *bench) events(d schema.Table, n int) []weir.DataFile {
	b.t.Helper()
	var files []weir.DataFile
	for f := range 4 {
		w, err := rowfile.NewTableWriter[weir.Event](b.t.Context(), b.store, d, fmt.Sprint("s", f), rowfile.GroupRows(64))
		if err != nil {
			b.t.Fatal(err)
		}
		for i := range n {
			e := weir.Event{ID: fmt.Sprintf("e%d-%06d", f, i), Name: fmt.Sprint("n", i%7), Source: "web", Stream: "page",
				OccurredAt: b.spec.Run.Now, ReceivedAt: b.spec.Run.Now, Properties: map[string]string{}}
			if i%50 == 49 {
				e.Name = "bad"
			}
			for p := range 3 {
				w := fmt.Sprintf("w%d", (i*31+p*17+f)%97)
				e.Properties[fmt.Sprint("p", p)] = w
				if e.Name != "bad" {
					b.truth[w]++
				}
			}
			if err := w.Write(e); err != nil {
				b.t.Fatal(err)
			}
		}
		written, err := w.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		files = append(files, written...)
	}
	return files
}

// plan stores the spec of another attempt: the same run, other keys.
func (b *bench) plan(attempt string) string {
	b.t.Helper()
	spec := b.spec
	spec.Scratch, spec.Manifest = "scratch/"+attempt, "manifests/"+attempt+".json"
	key := "specs/" + attempt + ".json"
	if err := WriteSpec(b.t.Context(), b.store, key, &spec); err != nil {
		b.t.Fatal(err)
	}
	return key
}

var testSecrets = map[string]string{"workspace": "pepper"}

func (b *bench) child(env ...string) Child {
	return Child{Store: b.config, Dir: b.t.TempDir(), Secrets: testSecrets, Env: env}
}

func (b *bench) local(attempt string) weir.Manifest {
	b.t.Helper()
	m, err := RunLocal(b.t.Context(), b.store, b.plan(attempt), wordCount, testSecrets)
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
