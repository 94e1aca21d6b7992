package resolve_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve"
)

// generated is a row of the bench's generated people.
type generated struct {
	RecordID   string `parquet:"record_id"`
	Source     string `parquet:"source"`
	GivenName  string `parquet:"given_name,optional"`
	FamilyName string `parquet:"family_name,optional"`
	BirthDate  string `parquet:"birth_date,optional"`
	Email      string `parquet:"email,optional"`
	Phone      string `parquet:"phone,optional"`
	Street     string `parquet:"street,optional"`
	City       string `parquet:"city,optional"`
	Postcode   string `parquet:"postcode,optional"`
	Country    string `parquet:"country,optional"`
	CustomerID string `parquet:"customer_id,optional"`
}

// record is the row as conform would write it.
func (g *generated) record() weir.Record {
	r := weir.Record{ID: "people/" + g.RecordID, Kind: weir.Person, Source: g.Source, Stream: "people", Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
	for k, v := range map[string]string{"given_name": g.GivenName, "family_name": g.FamilyName, "birth_date": g.BirthDate, "street": g.Street,
		"city": g.City, "postcode": g.Postcode, "country": g.Country, "customer_id": g.CustomerID} {
		if v != "" {
			r.Attributes[k] = v
		}
	}
	r.Identifiers.Add("email", g.Email)
	r.Identifiers.Add("phone", g.Phone)
	return r
}

// TestPeople prints time, memory and accuracy of the model on the people of
// WEIR_PEOPLE, a folder that the bench's generator wrote.
func TestPeople(t *testing.T) {
	dir := os.Getenv("WEIR_PEOPLE")
	if dir == "" {
		t.Skip("set WEIR_PEOPLE to a folder of generated people to run this")
	}
	def := weir.IdentityDef{Kind: weir.Person, Model: &weir.ModelDef{Auto: true}, Identifiers: map[string]weir.IdentifierRule{
		"email": {Limit: 5, NoLink: true}, "phone": {NoLink: true}}, Order: []string{"email", "phone"}}
	l := newLake(t, def, "given_name", "family_name", "birth_date", "street", "city", "postcode", "country", "customer_id")
	if endpoint := os.Getenv("WEIR_LARGE_S3"); endpoint != "" {
		c := object.Config{Endpoint: endpoint, Bucket: fmt.Sprint("large-", time.Now().UnixNano()), PathStyle: true, AccessKey: "k", SecretKey: "s"}
		if err := object.CreateBucket(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var err error
		if l.store, err = object.Open(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	files, n := l.people(filepath.Join(dir, "people.parquet"))
	const key = "models/person/x.json"
	training := resolve.TrainParams{Identity: []weir.IdentityDef{def}, Models: []resolve.ModelRef{{Kind: weir.Person, Key: key}}, Records: int64(n), Seed: 1}
	runtime.GC()
	stop := profileTraining(t)
	start, before := time.Now(), spent()
	l.run1(resolve.Training, weir.Train, training, files, 1)
	trained := time.Now()
	stop()
	t.Logf("%d records: training %s, %.2f s of CPU", n, trained.Sub(start).Round(time.Millisecond), spent()-before)
	artefact, err := l.store.ReadFile(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("model %x", sha256.Sum256(artefact))
	if os.Getenv("WEIR_PEOPLE_TRAIN") != "" {
		return
	}
	l.params.Identity, l.params.Models = training.Identity, training.Models
	m := l.run1(resolve.Pipeline, weir.Resolve, l.params, files, pipelines.Partitions(int64(n)))
	t.Logf("%d records: training %s, resolve %s, peak memory %s", n, trained.Sub(start).Round(time.Millisecond), time.Since(trained).Round(time.Millisecond), peak())
	for k, v := range m.Counts {
		t.Log(k, v)
	}
	links := map[string]string{}
	for _, k := range scan[weir.Link](l, m, "identity.links") {
		links[k.RecordID] = k.ProfileID
	}
	type truth struct {
		RecordID string `parquet:"record_id"`
		PersonID string `parquet:"person_id"`
	}
	both, found, true_ := map[[2]string]int{}, map[string]int{}, map[string]int{}
	for _, row := range readAll[truth](t, filepath.Join(dir, "people_truth.parquet")) {
		p := links["people/"+row.RecordID]
		both[[2]string{p, row.PersonID}]++
		found[p]++
		true_[row.PersonID]++
	}
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	var b, f, w float64
	largest := 0
	for _, n := range both {
		b += pairs(n)
	}
	for _, n := range found {
		f += pairs(n)
		largest = max(largest, n)
	}
	for _, n := range true_ {
		w += pairs(n)
	}
	t.Logf("precision %.4f recall %.4f F1 %.4f largest %d", b/f, b/w, 2*b/(f+w), largest)
}

// spent is the CPU time of this process so far, in seconds.
func spent() float64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// profileTraining writes a CPU profile of training alone to WEIR_PEOPLE_PROFILE.
func profileTraining(t *testing.T) (stop func()) {
	path := os.Getenv("WEIR_PEOPLE_PROFILE")
	if path == "" {
		return func() {}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Fatal(err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}
}

func (l *lake) run1(p pipelines.Pipeline, stage weir.Stage, params any, files []weir.DataFile, partitions int) weir.Manifest {
	l.t.Helper()
	data, err := json.Marshal(params)
	if err != nil {
		l.t.Fatal(err)
	}
	base := "large/" + string(stage)
	spec := pipelines.Spec{Run: weir.Run{Workspace: "shop", ID: "large", Now: time.Unix(0, 0).UTC()}, Stage: stage, Schemas: l.tables, Params: data,
		Partitions: partitions, Scratch: base + "/scratch", Manifest: base + "/manifest.json", Inputs: map[string][]weir.DataFile{"core.records": files}}
	if err := pipelines.WriteSpec(l.t.Context(), l.store, base+"/spec.json", &spec); err != nil {
		l.t.Fatal(err)
	}
	m, err := pipelines.RunLocal(l.t.Context(), l.store, base+"/spec.json", p, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return m
}

// people writes the generated people as core.records.
func (l *lake) people(path string) ([]weir.DataFile, int) {
	rows := readAll[generated](l.t, path)
	var files []weir.DataFile
	const parts = 8
	for p := range parts {
		w, err := rowfile.NewTableWriter[weir.Record](l.t.Context(), l.store, l.tables["core.records"], fmt.Sprint("part", p))
		if err != nil {
			l.t.Fatal(err)
		}
		for i := p * len(rows) / parts; i < (p+1)*len(rows)/parts; i++ {
			if err := w.Write(rows[i].record()); err != nil {
				l.t.Fatal(err)
			}
		}
		fs, err := w.Close()
		if err != nil {
			l.t.Fatal(err)
		}
		files = append(files, fs...)
	}
	return files, len(rows)
}

func readAll[T any](t testing.TB, path string) []T {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := parquet.NewGenericReader[T](f)
	defer r.Close()
	rows := make([]T, r.NumRows())
	if n, err := r.Read(rows); n != len(rows) || (err != nil && !errors.Is(err, io.EOF)) {
		t.Fatal(n, err)
	}
	return rows
}
