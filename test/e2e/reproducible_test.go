package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

func TestTheSameNowGivesTheSameTables(t *testing.T) {
	t.Parallel()
	one, two := weirtest.Shop(t, "300"), weirtest.Shop(t, "300")
	one.Receive(t)
	two.Receive(t)
	one.Run(t, weirtest.Partial, "--now", now)
	two.Run(t, weirtest.Partial, "--now", now)
	restored(t, one)
	one.Dev(t)
	two.Dev(t)
	weirtest.SameTables(t, one, two)
	t.Run("InAnyOrder", func(t *testing.T) {
		other := weirtest.Shop(t, "300")
		other.Receive(t)
		shuffle(t, other, "data/crm.csv", "\r\n", 1, 3)
		shuffle(t, other, "data/orders.ndjson", "\n", 0, 2)
		other.Replace(t, "sources/crm.yaml", "path: crm.csv", "path: crm*.csv")
		other.Replace(t, "sources/shop.yaml", "path: orders.ndjson", "path: orders*.ndjson")
		other.Run(t, weirtest.Partial, "--now", now)
		other.Dev(t)
		weirtest.SameTables(t, one, other, "raw.") // raw says where each row lay
	})
}

// restored backs a project up and restores it elsewhere: the ledger of consents there is
// whole, and the one that was noted.
func restored(t *testing.T, p *weirtest.Project) {
	t.Helper()
	head := strings.TrimSpace(p.Must(t, weirtest.Done, "consent", "verify", "--head").Stdout)
	if !strings.HasPrefix(head, "1:") {
		t.Fatalf("the ledger's head is %q", head)
	}
	file := filepath.Join(t.TempDir(), "backup.tar.zst")
	p.Must(t, weirtest.Done, "backup", file)
	back := weirtest.Shop(t, "300")
	back.Must(t, weirtest.Done, "restore", file)
	back.Must(t, weirtest.Done, "consent", "verify", "--expect", head)
	// Its salts are back, too: who said what can be read.
	var who []struct{ Ref string }
	p.Must(t, weirtest.Done, "query", "--json", "select identifier_kind || ':' || identifier_value as ref from core.consents order by 1 limit 1").JSON(t, &who)
	evidence := []string{"consent", "history", who[0].Ref}
	got, want := back.Must(t, weirtest.Done, evidence...).Stdout, p.Must(t, weirtest.Done, evidence...).Stdout
	if got != want || !strings.Contains(want, "stated") {
		t.Errorf("history there:\n%s\nand here:\n%s", got, want)
	}
}

// shuffle puts a file's lines after its header into another order, and cuts it
// into so many files.
func shuffle(t *testing.T, p *weirtest.Project, name, end string, header, files int) {
	t.Helper()
	b, err := os.ReadFile(p.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(b, []byte(end)), []byte(end))
	head, rows := lines[:header], lines[header:]
	r := rand.New(rand.NewPCG(3, 4))
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	if err := os.Remove(p.Path(name)); err != nil {
		t.Fatal(err)
	}
	dot := bytes.LastIndexByte([]byte(name), '.')
	for i := range files {
		part := append([][]byte{}, head...)
		part = append(part, rows[i*len(rows)/files:(i+1)*len(rows)/files]...)
		part = append(part, nil)
		path := p.Path(name[:dot] + "-" + string(rune('a'+i)) + name[dot:])
		if err := os.WriteFile(path, bytes.Join(part, []byte(end)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
