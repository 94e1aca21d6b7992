package resolve

import (
	"iter"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

const (
	// remembered bounds what a task keeps to send each sighting once; beyond it
	// sightings may be sent again, which changes no result.
	remembered = 500_000
	// together is up to how many identifiers of one event are paired each with
	// each; of more, each is paired with the first.
	together = 12
)

// sighting sends the values of events and consents on, each once.
type sighting struct {
	task  *pipelines.Task
	rules *evidence.Rules
	seen  map[evidence.Hash]bool
	pairs map[[2]evidence.Hash]bool
}

func (s *sighting) add(ids weir.Identifiers) error {
	held := s.rules.Seen(ids)
	usable := held[:0]
	for _, h := range held {
		if err := s.see(h); err != nil {
			return err
		}
		if h.Blocked == "" {
			usable = append(usable, h)
		}
	}
	for i, a := range usable {
		for _, b := range usable[i+1:] {
			if i > 0 && len(usable) > together {
				return nil
			}
			if err := s.pair(a, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func valueHash(kind, value string) evidence.Hash { return evidence.Digest("", kind, value) }

func (s *sighting) see(h evidence.Held) error {
	key := valueHash(h.Kind, h.Value)
	if s.seen[key] {
		return nil
	}
	if s.seen == nil || len(s.seen) >= remembered {
		s.seen = map[evidence.Hash]bool{}
	}
	s.seen[key] = true
	return pipelines.Emit(s.task, "attribute:seen", byValue(s.task, h.Kind, h.Value),
		seenRow{Kind: h.Kind, Value: h.Value, Blocked: h.Blocked != ""})
}

// pair sends two values to each other. Two that both link nothing tell nothing,
// and that somebody acted for an account does not make them the account.
func (s *sighting) pair(a, b evidence.Held) error {
	if !a.Links && !b.Links || s.rules.IsAccounts(a.Kind) != s.rules.IsAccounts(b.Kind) {
		return nil
	}
	ha, hb := valueHash(a.Kind, a.Value), valueHash(b.Kind, b.Value)
	if s.pairs[[2]evidence.Hash{ha, hb}] {
		return nil
	}
	if s.pairs == nil || len(s.pairs) >= remembered {
		s.pairs = map[[2]evidence.Hash]bool{}
	}
	s.pairs[[2]evidence.Hash{ha, hb}] = true
	err := pipelines.Emit(s.task, "attribute:beside", byValue(s.task, a.Kind, a.Value), besideRow{Kind: a.Kind, Value: a.Value, Hi: hb.Hi, Lo: hb.Lo})
	if err != nil {
		return err
	}
	return pipelines.Emit(s.task, "attribute:beside", byValue(s.task, b.Kind, b.Value), besideRow{Kind: b.Kind, Value: b.Value, Hi: ha.Hi, Lo: ha.Lo})
}

// each calls f with every row.
func each[T any](rows iter.Seq2[T, error], f func(T) error) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return nil
}
