package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// LabelsFile holds what people answered to weir identity review: one JSON object a
// line, of which the last about a pair counts. It holds record ids, no value.
const LabelsFile = "labels/identity.ndjson"

// Label is a person's answer about two records.
type Label struct {
	Left   string    `json:"left"`
	Right  string    `json:"right"`
	Answer string    `json:"answer"` // Same, Different or Withdrawn
	Author string    `json:"author,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// The answers. Withdrawn takes back the answer before it.
const (
	Same      = "same"
	Different = "different"
	Withdrawn = "withdrawn"
)

// checked puts the smaller id first, and says what is wrong with a label.
func (l *Label) checked() (next string, err error) {
	switch {
	case l.Left == "" || l.Right == "":
		return "write left and right: the ids of two records", errors.New("a label names two records")
	case l.Left == l.Right:
		return "remove the line", errors.New("a label names one record twice")
	case !slices.Contains([]string{Same, Different, Withdrawn}, l.Answer):
		return "same, different or withdrawn", fmt.Errorf("unknown answer %q", l.Answer)
	}
	if l.Left > l.Right {
		l.Left, l.Right = l.Right, l.Left
	}
	return "", nil
}

// labels reads the file. A last line that was cut, as a crash leaves it, is left
// out; AddLabels takes it away.
func (l *loader) labels() {
	data, err := fs.ReadFile(l.fsys, LabelsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.problems = append(l.problems, Problem{Where: LabelsFile, Message: "can't be read: " + err.Error()})
		return
	}
	var all []Label
	lines := bytes.Split(data, []byte("\n"))
	for i, line := range lines {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		where := fmt.Sprintf("%s:%d", LabelsFile, i+1)
		var x Label
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&x); err != nil || d.More() {
			if i < len(lines)-1 {
				l.problems = append(l.problems, Problem{Where: where, Message: "this line is no label", Next: `write {"left": "…", "right": "…", "answer": "same"}, or remove it`})
			}
			continue
		}
		if next, err := x.checked(); err != nil {
			l.problems = append(l.problems, Problem{Where: where, Message: err.Error(), Next: next})
			continue
		}
		all = append(all, x)
	}
	l.p.Labels = settleLabels(all)
}

// settleLabels keeps the last answer about each pair, in the order of the pairs.
func settleLabels(all []Label) []Label {
	last := map[[2]string]Label{}
	for _, x := range all {
		last[[2]string{x.Left, x.Right}] = x
	}
	var out []Label
	for _, x := range last {
		if x.Answer != Withdrawn {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Label) int { return strings.Compare(a.Left+"\x00"+a.Right, b.Left+"\x00"+b.Right) })
	return out
}

// AddLabels appends answers to a project's file and returns when they are on the
// disk. What a crash left of a line before is taken away first.
func AddLabels(dir string, labels ...Label) error {
	var b bytes.Buffer
	for _, x := range labels {
		if next, err := x.checked(); err != nil {
			return weir.Errorf(weir.Invalid, "%w", err).Then(next)
		}
		line, err := json.Marshal(x)
		if err != nil {
			return weir.Errorf(weir.Internal, "encode a label: %w", err)
		}
		b.Write(append(line, '\n'))
	}
	name := filepath.Join(dir, filepath.FromSlash(LabelsFile))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return cantWrite(name, err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return cantWrite(name, err)
	}
	defer f.Close()
	end, err := wholeLines(f)
	if err != nil {
		return cantWrite(name, err)
	}
	if _, err := f.WriteAt(b.Bytes(), end); err != nil {
		return cantWrite(name, err)
	}
	if err := f.Sync(); err != nil {
		return cantWrite(name, err)
	}
	return nil
}

// wholeLines returns where a file's next line goes: after the last whole one. A
// line that only lacks its end gets it; what is no label is cut off.
func wholeLines(f *os.File) (int64, error) {
	data, err := os.ReadFile(f.Name())
	if err != nil {
		return 0, err
	}
	end := int64(bytes.LastIndexByte(data, '\n') + 1)
	if rest := bytes.TrimSpace(data[end:]); len(rest) > 0 {
		var x Label
		if json.Unmarshal(rest, &x) == nil {
			_, err := f.WriteAt([]byte("\n"), int64(len(data)))
			return int64(len(data)) + 1, err
		}
	}
	return end, f.Truncate(end)
}

func cantWrite(name string, err error) error {
	return weir.Errorf(weir.Unavailable, "write labels: %w", err).At(name).Then("make the project's directory writable, and free space if the disk is full")
}
