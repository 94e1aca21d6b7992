package policies

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlError gives a YAML parser's error its file and line.
func yamlError(p string, err error) *weir.Error {
	line := 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	return weir.Errorf(weir.Invalid, "the file is not valid YAML: %w", err).At(at(p, line))
}

// document reads a file's one document, whole. A decoder stops where a document ends,
// and a first key that is indented more than the next one ends it: what follows would
// be left out, and with it limits that forbid.
func document(p string, b []byte) (*yaml.Node, error) {
	var doc, rest yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, yamlError(p, err)
	}
	err := dec.Decode(&rest)
	switch {
	case errors.Is(err, io.EOF):
		return &doc, nil
	case err != nil:
		return nil, yamlError(p, err).Then("check the indentation there, and in the lines before")
	}
	return nil, weir.Errorf(weir.Invalid, "a second YAML document").At(at(p, max(rest.Line, 1))).Then("keep one document a file")
}

// below puts the policy's folder before the place of each error.
func below(name string, err error) error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range many.Unwrap() {
			all = append(all, below(name, e))
		}
		return errors.Join(all...)
	}
	var e *weir.Error
	if errors.As(err, &e) && e.Where != "" {
		return e.At(name + "/" + e.Where)
	}
	return err
}
