package resolve_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve"
)

// TestLarge prints time and memory of WEIR_LARGE records with three identifiers
// each. WEIR_LARGE_S3 is the endpoint of an S3 server of another process, so that
// its memory does not count.
func TestLarge(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("WEIR_LARGE"))
	if err != nil {
		t.Skip("set WEIR_LARGE to a number of records to run this")
	}
	l := newLake(t, shop, "family_name")
	if endpoint := os.Getenv("WEIR_LARGE_S3"); endpoint != "" {
		c := object.Config{Endpoint: endpoint, Bucket: fmt.Sprint("large-", time.Now().UnixNano()), PathStyle: true, AccessKey: "k", SecretKey: "s"}
		if err := object.CreateBucket(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if l.store, err = object.Open(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	spec := pipelines.Spec{Run: weir.Run{Workspace: "shop", ID: "large", Now: time.Unix(0, 0).UTC()}, Stage: weir.Resolve,
		Schemas: l.tables, Partitions: pipelines.Partitions(int64(4 * n)), Scratch: "large/scratch", Manifest: "large/manifest.json",
		Inputs: map[string][]weir.DataFile{"core.records": largeRecords(l, n)}}
	if spec.Params, err = json.Marshal(l.params); err != nil {
		t.Fatal(err)
	}
	if err := pipelines.WriteSpec(t.Context(), l.store, "large/spec.json", &spec); err != nil {
		t.Fatal(err)
	}
	before, start := peak(), time.Now()
	m, err := pipelines.RunLocal(t.Context(), l.store, "large/spec.json", resolve.Pipeline, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records in %s, peak memory %s (before %s), counts %v", n, time.Since(start).Round(time.Millisecond), peak(), before, m.Counts)
}

func largeRecords(l *lake, n int) (files []weir.DataFile) {
	r := rand.New(rand.NewPCG(1, 1))
	const parts = 8
	for p := range parts {
		w, err := rowfile.NewTableWriter[weir.Record](l.t.Context(), l.store, l.tables["core.records"], fmt.Sprint("part", p))
		if err != nil {
			l.t.Fatal(err)
		}
		for i := p; i < n; i += parts {
			who := r.IntN(n / 3)
			err := w.Write(weir.Record{ID: fmt.Sprintf("crm/contacts/%08d", i), Kind: weir.Person, Source: "crm", Stream: "contacts",
				Attributes: map[string]string{"family_name": fmt.Sprintf("name%d", who%5000)},
				Identifiers: weir.Identifiers{"email": {fmt.Sprintf("user%d.%d@mail.fr", who, r.IntN(2))},
					"crm_id": {fmt.Sprint(who + 1)}, "phone": {fmt.Sprintf("+336%08d", who)}}})
			if err != nil {
				l.t.Fatal(err)
			}
		}
		fs, err := w.Close()
		if err != nil {
			l.t.Fatal(err)
		}
		files = append(files, fs...)
	}
	return files
}

// peak is the most memory that this process had resident, as Linux says.
func peak() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line)
}
