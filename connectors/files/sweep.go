package files

import (
	"context"
	"path"
	"strings"

	"github.com/weir-cdp/weir"
)

// sweep removes what earlier runs of an activation left that never ended: their
// parts, and a file that was being merged. They hold people's data, and nobody
// reads them: what an unfinished run wrote counts as unknown and is sent again.
// Runs of a later time are let alone, should an earlier one still be writing.
func (d *destination) sweep(ctx context.Context, activation string, run weir.RunID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.swept[activation] {
		return nil
	}
	for _, dir := range []string{path.Join(".parts", safeName(activation)), safeName(activation)} {
		listed, err := d.folder.list(ctx, dir)
		if err != nil && weir.CodeOf(err) != weir.NotFound {
			return err
		}
		for _, f := range listed {
			if !abandoned(f.path, safeName(string(run))) {
				continue
			}
			if err := d.folder.remove(ctx, f.path); err != nil && weir.CodeOf(err) != weir.NotFound {
				return err
			}
		}
	}
	if d.swept == nil {
		d.swept = map[string]bool{}
	}
	d.swept[activation] = true
	return nil
}

// abandoned says whether a file is of another run, not later than this one, that
// was not published: `.parts/<activation>/<run>/<part>`, or `<activation>/.<run>….partial`.
func abandoned(file, run string) bool {
	var of string
	switch dir, name := path.Split(file); {
	case strings.HasPrefix(file, ".parts/"):
		if of = path.Base(dir); name == publicationName {
			return false // keeps a repeated Finish from changing anything
		}
	case strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".partial"):
		of = name[1:]
	default:
		return false
	}
	if of == run || strings.HasPrefix(of, run+".") || strings.HasPrefix(of, run+"-") {
		return false
	}
	own, _, _ := strings.Cut(run, "-") // the time, which begins a run's id
	others, _, ok := strings.Cut(of, "-")
	return ok && others <= own
}
