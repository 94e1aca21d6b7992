package pipelines

import (
	"encoding/json"
	"sort"

	"github.com/weir-cdp/weir"
)

// toManifest addresses a task's result.
const toManifest = -1

// element is what crosses Beam: exactly one of Ref, Source and Result is set.
type element struct {
	To     int         `json:"to"`           // step index, or toManifest
	At     int         `json:"-"`            // partition: the Beam key
	Ref    *ref        `json:"r,omitempty"`  // a block of a scratch object
	Source *sourceTask `json:"s,omitempty"`  // what a first step's task reads
	Result *result     `json:"ok,omitempty"` // what a finished task wrote
}

// ref points at the rows of one channel and partition in one scratch object.
type ref struct {
	Key     string `json:"k"`
	Offset  int64  `json:"o"`
	Bytes   int64  `json:"b"`
	Rows    int    `json:"n"`
	Channel string `json:"c"`
}

// result is what one task adds to the manifest.
type result struct {
	Task    string            `json:"task"` // "<step index>/<task id>"
	Tables  []weir.TableFiles `json:"tables,omitempty"`
	Counts  map[string]int64  `json:"counts,omitempty"`
	RowsIn  int64             `json:"in,omitempty"`  // read from sources
	RowsOut int64             `json:"out,omitempty"` // written to tables, quarantine left out
	Step    int               `json:"at"`            // its index; -1 of the seed
	Sent    sent              `json:"sent,omitzero"`
}

func (e element) encode() (string, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return "", weir.Errorf(weir.Internal, "encode element: %w", err)
	}
	return string(b), nil
}

func decodeElement(at int, text string) (element, error) {
	e := element{At: at}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, weir.Errorf(weir.Internal, "decode element: %w", err)
	}
	return e, nil
}

// sortRefs fixes the order in which a task sees its input, whatever order Beam
// delivered it in. A reference delivered twice counts once.
func sortRefs(refs []ref) []ref {
	sort.Slice(refs, func(i, j int) bool {
		if refs[i].Key != refs[j].Key {
			return refs[i].Key < refs[j].Key
		}
		return refs[i].Offset < refs[j].Offset
	})
	out := refs[:0]
	for i, r := range refs {
		if i == 0 || r != refs[i-1] {
			out = append(out, r)
		}
	}
	return out
}
