package index

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
)

// Manifest says what an index consists of.
type Manifest struct {
	Version int               `json:"version"`
	Run     weir.RunID        `json:"run"`
	Parent  weir.RunID        `json:"parent,omitempty"` // the run whose index this one goes on from
	Basis   string            `json:"basis"`            // digest of the rules and the program that it holds under
	Models  map[string]string `json:"models,omitempty"` // the models' versions, by kind of records
	Chunks  []Part            `json:"chunks"`
	Origins [][]string        `json:"origins"` // files that were read together; nil: gone
	State   string            `json:"state"`   // object key
	// Base is how many versions the full run wrote.
	Base int `json:"base"`
	// Began is that run's moment.
	Began time.Time `json:"began"`
	// Partitions is into how many partitions that run cut identity.identifiers. Increments
	// keep to it, or they could not take over its files when the table has grown a little.
	Partitions int `json:"partitions,omitempty"`
	// Seen says that events or consents were read.
	Seen bool `json:"seen,omitempty"`
}

// Part is a chunk of the log.
type Part struct {
	Key     string `json:"key"` // object key without the section
	Entries int    `json:"entries"`
}

// Object is where a section of a chunk lies.
func (p Part) Object(s Section) string { return p.Key + "." + s.String() }

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

// Entries is how many versions the log holds.
func (m *Manifest) Entries() (n int) {
	for _, c := range m.Chunks {
		n += c.Entries
	}
	return n
}

// Changes says which of a table's files have to be read to know what changed, and
// which origins are not whole any more.
func (m *Manifest) Changes(files []weir.DataFile) (read []weir.DataFile, lost []uint32) {
	there := make(map[string]bool, len(files))
	for _, f := range files {
		there[f.Path] = true
	}
	known := map[string]bool{}
	for i, paths := range m.Origins {
		switch {
		case paths == nil:
		case slices.ContainsFunc(paths, func(p string) bool { return !there[p] }):
			lost = append(lost, uint32(i))
		default:
			for _, p := range paths {
				known[p] = true
			}
		}
	}
	for _, f := range files {
		if !known[f.Path] {
			read = append(read, f)
		}
	}
	return read, lost
}

// GoesOnFrom is the run whose index this one goes on from; "": none.
func (m *Manifest) GoesOnFrom() weir.RunID { return m.Parent }

// Objects lists the objects that the index needs, but its manifest.
func (m *Manifest) Objects() []string {
	out := []string{m.State}
	for _, c := range m.Chunks {
		for _, s := range Sections() {
			out = append(out, c.Object(s))
		}
	}
	return out
}
