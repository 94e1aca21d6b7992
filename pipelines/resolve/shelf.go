package resolve

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// shelf is an index as an increment reads it. Lists are by version.
type shelf struct {
	read     readFile
	manifest *index.Manifest
	state    *index.State
	parts    []index.Part
	first    []uint32 // by part

	ids          []string
	content      []evidence.Hash
	digest       []evidence.Hash
	kinds        []recordKind
	bare         []bool
	limits       []string
	contradicted map[uint32][]string
	living       *digests // by the digest of their id
}

// shelved loads an index once per process, without its keys and features.
func shelved(ctx context.Context, t *pipelines.Task, from string) (*shelf, error) {
	return pipelines.Shared(t, "shelf", func() (*shelf, error) { return openShelf(ctx, t.Store().ReadFile, from) })
}

func openShelf(ctx context.Context, read readFile, from string) (*shelf, error) {
	data, err := read(ctx, from)
	if err != nil {
		return nil, err
	}
	s := &shelf{read: read, state: &index.State{}, contradicted: map[uint32][]string{}}
	if s.manifest, err = index.Parse(data); err != nil {
		return nil, err
	}
	text, err := pipelines.Left(ctx, read, s.manifest.State)
	if err != nil {
		return nil, err
	}
	if err := s.state.Unmarshal(text); err != nil {
		return nil, weir.Errorf(weir.CodeOf(err), "%w", err).At(s.manifest.State)
	}
	if err := s.add(ctx, s.manifest.Chunks); err != nil {
		return nil, err
	}
	if len(s.ids) != len(s.state.Origin) || len(s.ids) != len(s.state.Profile) {
		return nil, weir.Errorf(weir.Internal, "the index's log and state don't fit").At(from)
	}
	s.living = roomForDigests(s.digest, len(s.state.Order))
	for _, v := range s.state.Order {
		s.living.add(int32(v))
	}
	return s, nil
}

// find finds the version that lives of a record, by the digest of its id.
func (s *shelf) find(h evidence.Hash) (v uint32, ok bool) {
	i := s.living.find(h)
	return uint32(i), i >= 0
}

// with is the shelf with more of the log; the shelf itself stays as it is.
func (s *shelf) with(ctx context.Context, parts []index.Part) (*shelf, error) {
	out := *s
	out.contradicted = map[uint32][]string{}
	for v, kinds := range s.contradicted {
		out.contradicted[v] = kinds
	}
	return &out, out.add(ctx, parts)
}

// add reads the heads of parts.
func (s *shelf) add(ctx context.Context, parts []index.Part) error {
	start, from := len(s.parts), len(s.ids)
	s.parts = append(s.parts[:start:start], parts...)
	n := from
	s.first = s.first[:start:start]
	for _, p := range parts {
		s.first = append(s.first, uint32(n))
		n += p.Entries
	}
	s.ids, s.content, s.digest = grown(s.ids, n), grown(s.content, n), grown(s.digest, n)
	s.kinds, s.bare, s.limits = grown(s.kinds, n), grown(s.bare, n), grown(s.limits, n)
	contradicted, err := scanLog(ctx, s, index.Heads, func(part int) bool { return part >= start }, func(first uint32, n int, text string) (map[uint32][]string, error) {
		bad := map[uint32][]string{}
		return bad, index.EachHead(text, n, func(i int, h index.Head) {
			v := first + uint32(i)
			s.ids[v], s.content[v], s.bare[v], s.limits[v] = h.ID, h.Content, h.Bare, h.Limits
			s.digest[v] = recordDigest(h.ID)
			if h.Account {
				s.kinds[v] = account
			}
			if len(h.Contradicted) > 0 {
				bad[v] = h.Contradicted
			}
		})
	})
	for _, bad := range contradicted {
		for v, kinds := range bad {
			s.contradicted[v] = kinds
		}
	}
	return err
}

// grown copies a list into a longer one.
func grown[T any](xs []T, n int) []T {
	out := make([]T, n)
	copy(out, xs)
	return out
}

// scanLog reads a section of the parts that are wanted, several at a time, and
// returns what f made of each, in their order. F gets the part's first version and
// its entries.
func scanLog[T any](ctx context.Context, s *shelf, section index.Section, wanted func(part int) bool, f func(first uint32, n int, text string) (T, error)) ([]T, error) {
	out := make([]T, len(s.parts))
	var todo []int
	for i := range s.parts {
		if wanted == nil || wanted(i) {
			todo = append(todo, i)
		}
	}
	return out, side(len(todo), func(i int) error {
		part := todo[i]
		key := s.parts[part].Object(section)
		text, err := pipelines.Left(ctx, s.read, key)
		if err != nil {
			return err
		}
		if text, err = index.Open(section, text); err == nil {
			out[part], err = f(s.first[part], s.parts[part].Entries, text)
		}
		if err != nil {
			return weir.Errorf(weir.CodeOf(err), "%w", err).At(key)
		}
		return nil
	})
}

// side calls f for n parts, as many at a time as there are processors, and returns
// the error of the first part that failed.
func side(n int, f func(i int) error) error {
	failed := make([]error, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				failed[i] = f(i)
			}
		})
	}
	all.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// holding says which parts hold one of these versions, which ascend.
func (s *shelf) holding(versions []uint32) func(part int) bool {
	has := make([]bool, len(s.parts))
	part := 0
	for _, v := range versions {
		for part+1 < len(s.parts) && s.first[part+1] <= v {
			part++
		}
		has[part] = true
	}
	return func(part int) bool { return has[part] }
}
