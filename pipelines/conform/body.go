package conform

import (
	"encoding/binary"
	"sort"
	"time"

	"github.com/weir-cdp/weir"
)

// A version's body is a plain run of texts and numbers in an order that the
// stream's mapping fixes: much cheaper than nested Parquet, and scratch lives for
// one run.

// body writes.
type body struct{ b []byte }

func (w *body) number(n int64) { w.b = binary.AppendVarint(w.b, n) }

func (w *body) text(s string) {
	w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

// time writes microseconds; the zero time as 0.
func (w *body) time(t time.Time) {
	if t.IsZero() {
		w.number(0)
		return
	}
	n := t.UnixMicro()
	if n >= 0 {
		n++ // 1970's first microsecond is not the zero time
	}
	w.number(n)
}

func (w *body) faults(faults []fault) {
	w.number(int64(len(faults)))
	for _, f := range faults {
		w.text(f.Field)
		w.text(f.Reason)
		w.text(f.Excerpt)
		w.flag(f.Withheld)
	}
}

func (w *body) flag(b bool) {
	n := int64(0)
	if b {
		n = 1
	}
	w.number(n)
}

func (w *body) texts(m map[string]string) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	w.number(int64(len(keys)))
	for _, k := range keys {
		w.text(k)
		w.text(m[k])
	}
}

func (w *body) identifiers(ids weir.Identifiers) {
	kinds := make([]string, 0, len(ids))
	for k := range ids {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	w.number(int64(len(kinds)))
	for _, k := range kinds {
		w.text(k)
		w.number(int64(len(ids[k])))
		for _, v := range ids[k] {
			w.text(v)
		}
	}
}

// bodyReader reads what body wrote; bad is set where it does not fit.
type bodyReader struct {
	b   []byte
	bad bool
}

func (r *bodyReader) number() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *bodyReader) text() string {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > uint64(len(r.b)-size) {
		r.b, r.bad = nil, true
		return ""
	}
	s := string(r.b[size : size+int(n)])
	r.b = r.b[size+int(n):]
	return s
}

func (r *bodyReader) time() time.Time {
	n := r.number()
	switch {
	case n == 0:
		return time.Time{}
	case n > 0:
		n--
	}
	return time.UnixMicro(n).UTC()
}

func (r *bodyReader) flag() bool { return r.number() != 0 }

func (r *bodyReader) faults() []fault {
	var out []fault
	for n := r.number(); n > 0 && !r.bad; n-- {
		out = append(out, fault{Field: r.text(), Reason: r.text(), Excerpt: r.text(), Withheld: r.flag()})
	}
	return out
}

func (r *bodyReader) texts() map[string]string {
	out := map[string]string{}
	for n := r.number(); n > 0 && !r.bad; n-- {
		k := r.text()
		out[k] = r.text()
	}
	return out
}

func (r *bodyReader) identifiers() weir.Identifiers {
	out := weir.Identifiers{}
	for n := r.number(); n > 0 && !r.bad; n-- {
		k := r.text()
		values := make([]string, 0, 1)
		for m := r.number(); m > 0 && !r.bad; m-- {
			values = append(values, r.text())
		}
		out[k] = values
	}
	return out
}
