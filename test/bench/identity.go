package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weir-cdp/weir"
)

// identitySeed is none that the model was developed with.
const identitySeed = 41

// identity: generated people of four systems, from core.records to committed
// links, with the model's training; Splink's training, prediction and clustering
// of the same records beside it.
func (b *bench) identity(ctx context.Context) error {
	if b.kit == nil {
		return fmt.Errorf("the people are made by the bench kit")
	}
	rows := b.rows(1_000_000)
	data, err := b.people(ctx, rows)
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds; round++ {
		if err := b.resolvePeople(ctx, data, rows, round); err != nil {
			return err
		}
		for _, python := range b.kit.splinks() {
			if err := b.splink(ctx, python, data, rows, round); err != nil {
				b.report.notef("identity, splink: %v", err)
			}
		}
	}
	return nil
}

// people makes the generated people, once.
func (b *bench) people(ctx context.Context, rows int) (string, error) {
	data := filepath.Join(b.work, fmt.Sprintf("people_%d", rows))
	if _, err := os.Stat(filepath.Join(data, "people_truth.parquet")); err == nil {
		return data, nil
	}
	_, err := execute(ctx, nil, 0, b.kit.python, filepath.Join(b.kit.dir, "gen_people.py"), "--records", fmt.Sprint(rows),
		"--seed", fmt.Sprint(identitySeed), "--out", data)
	return data, err
}

// accuracy is what the kit's scorer says of a clustering.
type accuracy struct {
	Precision float64 `json:"pair_p"`
	Recall    float64 `json:"pair_r"`
	F1        float64 `json:"pair_f1"`
	B3        float64 `json:"b3_f1"`
	Largest   int     `json:"largest"`
}

func (a accuracy) String() string {
	return fmt.Sprintf("pairs' precision %.3f, recall %.3f, F1 %.3f; B-cubed F1 %.3f; largest cluster %d", a.Precision, a.Recall, a.F1, a.B3, a.Largest)
}

// resolvePeople has Weir resolve the people in a fresh project, one source for
// each of their systems.
func (b *bench) resolvePeople(ctx context.Context, data string, rows, round int) (err error) {
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.peopleProject(ctx, data, dir, 0); err != nil {
		return err
	}
	if _, _, err := b.refresh(ctx, dir, string(weir.Collect), string(weir.Conform)); err != nil {
		return err
	}
	u, s, err := b.refresh(ctx, dir, string(weir.Resolve))
	if err != nil {
		return err
	}
	m := u.measured("identity", "weir", int64(rows), round)
	for _, g := range groups(s) {
		m.WallS = g.to.Sub(g.from).Seconds() // as the peer's figure leaves its start and loading out
		m.RSSMB, m.TreeMB = u.peak(g.from, g.to)
	}
	if err := b.report.add(m); err != nil {
		return err
	}
	links := filepath.Join(dir, "links.parquet")
	const query = `select url_decode(regexp_replace(record_id, '^[^/]*/[^/]*/', '')) as record_id, profile_id from identity.links`
	if _, err := execute(ctx, nil, 0, b.weir, "query", "--project", dir, "--output", links, query); err != nil {
		return err
	}
	scored, err := execute(ctx, nil, 0, b.kit.python, filepath.Join(b.kit.dir, "identity_score.py"), "--clusters", links, "--truth", filepath.Join(data, "people_truth.parquet"))
	if err != nil {
		return err
	}
	var a accuracy
	if err := json.Unmarshal(scored.out, &a); err != nil {
		return fmt.Errorf("identity_score.py: %w", err)
	}
	b.report.notef("identity, weir: model: auto and its default threshold, %d people's records: %s", rows, a)
	return nil
}

// peopleProject writes a project of the people into dir, one source for each of their
// systems. The last records, in thousandths, go into files of their own, which no
// stream reads yet.
func (b *bench) peopleProject(ctx context.Context, data, dir string, later int) error {
	systems, err := b.pythonScript(ctx, `import sys, pyarrow.parquet as pq, pyarrow.compute as pc
t = pq.read_table(sys.argv[1] + "/people.parquet")
last = len(t) // 1000 * int(sys.argv[3])
for s in pc.unique(t["source"]).to_pylist():
    for part, name in ((t.slice(0, len(t) - last), "first"), (t.slice(len(t) - last), "later")):
        if len(part):
            pq.write_table(part.filter(pc.equal(part["source"], s)), f"{sys.argv[2]}/{s}.{name}.parquet")
    print(s)`, data, dir, fmt.Sprint(later))
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "sources"), 0o755); err != nil {
		return err
	}
	files := map[string]string{
		"weir.yaml": "name: bench\ntimezone: UTC\ndefault_region: FR\ncurrency: EUR\nlake: {}\ntemporal: {}\n",
		"identity.yaml": `person:
  identifiers:
    customer_id: {limit: 1}
    email: {limit: 5, link: false}
    phone: {link: false}
  model: auto
`,
	}
	for _, s := range strings.Fields(string(systems.out)) {
		files["sources/"+s+".yaml"] = fmt.Sprintf(`connector: files
config: {path: .}
streams:
  people:
    path: %s.first.parquet
    key: [record_id]
    as: person
    map:
      identifiers: {customer_id: customer_id, email: email, phone: phone}
      attributes: {given_name: given_name, family_name: family_name, birth_date: birth_date, street: street, city: city, postcode: postcode, country: country}
      observed_at: updated_at
`, s)
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// splink measures the peer as the kit's expert configured it, at its best
// threshold.
func (b *bench) splink(ctx context.Context, python, data string, rows, round int) error {
	u, err := execute(ctx, nil, 0, python, filepath.Join(b.kit.dir, "identity_splink.py"), "--data", data)
	if err != nil {
		return err
	}
	var said struct {
		Peer     string              `json:"peer"`
		WallS    float64             `json:"wall_s"`
		Accuracy map[string]accuracy `json:"accuracy"`
	}
	lines := strings.Split(strings.TrimSpace(string(u.out)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &said); err != nil {
		return fmt.Errorf("identity_splink.py: %w", err)
	}
	m := u.measured("identity", said.Peer, int64(rows), round)
	m.WallS = said.WallS
	best, at := accuracy{}, ""
	for threshold, a := range said.Accuracy {
		if a.F1 > best.F1 {
			best, at = a, threshold
		}
	}
	b.report.notef("identity, %s: an expert's settings, the best of %d thresholds (%s): %s", said.Peer, len(said.Accuracy), at, best)
	return b.report.add(m)
}
