package index

import (
	"encoding/json"
	"time"

	"github.com/weir-cdp/weir"
)

// Version names the format, and the meaning of what is in it.
const Version = 3

// Manifest says what an index consists of, and what it tells of.
type Manifest struct {
	Version int        `json:"version"`
	Run     weir.RunID `json:"run"`
	Parent  weir.RunID `json:"parent,omitempty"` // the run whose index this one goes on from
	Basis   string     `json:"basis"`            // digest of the definitions and the program that it holds under
	Now     time.Time  `json:"now"`              // as of which the tables are computed
	Began   time.Time  `json:"began"`            // the now of the full run
	// Partitions is into how many the profiles are cut.
	Partitions int `json:"partitions"`
	// Files are those of the tables that were read, by table.
	Files map[string][]weir.DataFile `json:"files"`
	Parts []Part                     `json:"parts"` // by partition
	// Base is how many events the full run kept.
	Base int64 `json:"base"`
	// Increments is how many there have been since.
	Increments int `json:"increments,omitempty"`
}

// Part is what is kept of one partition.
type Part struct {
	Partition int      `json:"partition"`
	People    string   `json:"people"`         // object key
	Blocks    []Blocks `json:"blocks"`         // in the order in which they were written
	Seen      []string `json:"seen,omitempty"` // object keys
	// Absent are ids, sorted, of profiles that events led to when unify had not made
	// them, and of those that are gone since the full run.
	Absent []string `json:"absent,omitempty"`
}

// Blocks is an object with blocks of events.
type Blocks struct {
	Key    string `json:"key"`
	Events int64  `json:"events"`
	Latest int64  `json:"latest"` // the last moment of them, in microseconds since 1970
}

// Parse reads a manifest; one of another version is refused.
func Parse(data []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, weir.Errorf(weir.Internal, "the index's manifest is damaged: %w", err)
	}
	if m.Version != Version {
		return nil, weir.Errorf(weir.Conflict, "the index is of version %d, this program writes %d", m.Version, Version)
	}
	return m, nil
}

// Part returns that of a partition; an empty one if nothing is kept of it.
func (m *Manifest) Part(partition int) Part {
	for _, p := range m.Parts {
		if p.Partition == partition {
			return p
		}
	}
	return Part{Partition: partition}
}

// Events is how many events are kept.
func (m *Manifest) Events() (n int64) {
	for _, p := range m.Parts {
		for _, b := range p.Blocks {
			n += b.Events
		}
	}
	return n
}

// Changes compares a table's files with those that the index tells of.
func (m *Manifest) Changes(table string, files []weir.DataFile) (added, gone []weir.DataFile) {
	return weir.FilesWithout(files, m.Files[table]), weir.FilesWithout(m.Files[table], files)
}

// GoesOnFrom is the run whose index this one goes on from; "": none.
func (m *Manifest) GoesOnFrom() weir.RunID { return m.Parent }

// Objects lists the objects that the index needs, but its manifest.
func (m *Manifest) Objects() (keys []string) {
	for _, p := range m.Parts {
		if p.People != "" {
			keys = append(keys, p.People)
		}
		for _, b := range p.Blocks {
			keys = append(keys, b.Key)
		}
		keys = append(keys, p.Seen...)
	}
	return keys
}
