package policies

import (
	"errors"
	"regexp"
	"strconv"

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
