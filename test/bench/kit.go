package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kit is the folder of the peers' scripts. An arm of a script is run by the
// script's own --child, as the script does it.
type kit struct{ dir, python string }

func openKit(dir, python string) (*kit, error) {
	k := &kit{}
	var err error
	if k.dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if k.python, err = filepath.Abs(python); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(k.dir, "measure.py")); err != nil {
		return nil, fmt.Errorf("there is no bench kit in %s", dir)
	}
	if _, err := os.Stat(k.python); err != nil {
		return nil, fmt.Errorf("there is no Python environment: make bench-env")
	}
	return k, nil
}

// splinks are the environments of Splink: version 4 with the others, 5 by itself
// where make bench-env has made it.
func (k *kit) splinks() []string {
	out := []string{k.python}
	five := filepath.Join(filepath.Dir(filepath.Dir(k.python)), "splink5", "bin", "python")
	if _, err := os.Stat(five); err == nil {
		out = append(out, five)
	}
	return out
}

// copies runs one arm that copies rows into Parquet files.
func (b *bench) copies(ctx context.Context, script, name, arm, from string, rows, round int) error {
	if b.kit == nil {
		return nil
	}
	out, err := os.MkdirTemp(b.work, "out")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	u, err := execute(ctx, nil, 0, b.kit.python, filepath.Join(b.kit.dir, script), "--child", arm, from, out)
	if err == nil {
		err = b.sameRows(ctx, out, rows)
	}
	if err != nil {
		b.report.notef("%s, %s: %v", name, arm, err)
		return ctx.Err()
	}
	return b.report.add(u.measured(name, arm, int64(rows), round))
}

// sameRows checks that an arm wrote them all.
func (b *bench) sameRows(ctx context.Context, out string, rows int) error {
	u, err := b.pythonScript(ctx, "import sys; from pathlib import Path; from ingest_postgres import parquet_rows; print(parquet_rows(Path(sys.argv[1])))", out)
	if err != nil {
		return err
	}
	if found := strings.TrimSpace(string(u.out)); found != strconv.Itoa(rows) {
		return fmt.Errorf("%s rows were written, not %d", found, rows)
	}
	return nil
}

// compares runs one arm of the difference of two snapshots.
func (b *bench) compares(ctx context.Context, name, arm string, rows, round int) error {
	if b.kit == nil {
		return nil
	}
	out, err := os.MkdirTemp(b.work, "out")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	script, diff := filepath.Join(b.kit.dir, "diff_snapshots.py"), filepath.Join(out, "diff.parquet")
	args := []string{b.kit.python, script, "--rows", strconv.Itoa(rows), "--work", b.work}
	if round == 1 { // makes the snapshots, if they are not there
		if _, err := execute(ctx, nil, 0, append(args, "--rounds", "0")...); err != nil {
			return err
		}
	}
	u, err := execute(ctx, nil, 0, append(args, "--child", arm, diff)...)
	if err != nil {
		b.report.notef("%s, %s: %v", name, arm, err)
		return ctx.Err()
	}
	m := u.measured(name, "duckdb "+arm, int64(rows), round)
	found, err := b.pythonScript(ctx, `import sys, json, duckdb; print(json.dumps(dict(duckdb.sql("select action, count(*) from '" + sys.argv[1] + "' group by all").fetchall())))`, diff)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(found.out, &m.Found); err != nil {
		return err
	}
	return b.report.add(m)
}

// pythonScript runs a few lines with the kit's modules.
func (b *bench) pythonScript(ctx context.Context, script string, args ...string) (usage, error) {
	return execute(ctx, []string{"PYTHONPATH=" + b.kit.dir}, 0, append([]string{b.kit.python, "-c", script}, args...)...)
}
