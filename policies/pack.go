package policies

import (
	"archive/zip"
	"bytes"
	"context"
	"io/fs"

	"github.com/weir-cdp/weir"
)

// Pack makes one file of a policy's folder ("": the built-in policy): rules, data,
// schemas, cases and tests. The same folder gives the same bytes.
func Pack(dir string) ([]byte, error) {
	fsys, name, err := open(dir)
	if err != nil {
		return nil, err
	}
	f, err := read(fsys)
	if err != nil {
		return nil, below(name, err)
	}
	texts := map[string][]byte{}
	for p, text := range f.rego {
		texts[p] = []byte(text)
	}
	for _, more := range []map[string][]byte{f.raw, f.cases} {
		for p, b := range more {
			texts[p] = b
		}
	}
	if f.shapes != nil {
		texts[shapesPath] = f.shapes
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range sorted(texts) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p, Method: zip.Store}) // no time: nothing but the content counts
		if err == nil {
			_, err = w.Write(texts[p])
		}
		if err != nil {
			return nil, weir.Errorf(weir.Internal, "pack the policy: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, weir.Errorf(weir.Internal, "pack the policy: %w", err)
	}
	return out.Bytes(), nil
}

// unpack opens what Pack made.
func unpack(b []byte) (fs.FS, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the bundle of the policy is damaged: %w", err)
	}
	return z, nil
}

// LoadPacked is Load of what Pack made; name is what messages call it.
func LoadPacked(ctx context.Context, b []byte, name string, o Options) (*Gate, error) {
	fsys, err := unpack(b)
	if err != nil {
		return nil, err
	}
	f, err := read(fsys)
	if err != nil {
		return nil, below(name, err)
	}
	return f.gate(ctx, name, o.Deadline)
}

// ProvePacked is Prove of what Pack made: what is tested is what is signed.
func ProvePacked(ctx context.Context, b []byte, name string, progress func(weir.Progress)) (TestReport, error) {
	fsys, err := unpack(b)
	if err != nil {
		return TestReport{}, err
	}
	return prove(ctx, fsys, name, progress)
}

// TestPacked is Test of what Pack made.
func TestPacked(ctx context.Context, b []byte, name string) (TestReport, error) {
	fsys, err := unpack(b)
	if err != nil {
		return TestReport{}, err
	}
	report, _, _, err := test(ctx, fsys, name)
	return report, err
}

// CheckPacked is Check of what Pack made.
func CheckPacked(b []byte) ([]Problem, error) {
	fsys, err := unpack(b)
	if err != nil {
		return nil, err
	}
	return check(fsys)
}
