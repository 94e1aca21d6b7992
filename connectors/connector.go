package connectors

import (
	"context"

	"github.com/weir-cdp/weir"
)

// Connector describes one system: its name, its settings, and how to open it.
// Validation, `weir doctor` and docs/connectors.md are made from it.
type Connector struct {
	Name    string
	Summary string  // one sentence
	Config  []Field // of the source's or destination's `config`
	Stream  []Field // of a source's stream, beside the common keys
	// OpenSource is nil where the system can't be read.
	OpenSource func(ctx context.Context, env Env, config Settings) (Source, error)
	// OpenDestination is nil where the system can't be written.
	OpenDestination func(ctx context.Context, env Env, config Settings) (Destination, error)
}

// Field is one setting.
type Field struct {
	Name        string
	Type        FieldType
	Required    bool
	Default     any // shown in the docs and set when absent; nil: none
	Secret      bool
	Enum        []string
	Description string  // one sentence
	Example     string  // as in YAML
	Fields      []Field // of Type Object
}

// FieldType is the type of a setting's value.
type FieldType string

// The types and the Go values that Settings holds for them.
const (
	String  FieldType = "string"   // string
	Int     FieldType = "int"      // int64
	Float   FieldType = "float"    // float64
	Bool    FieldType = "bool"     // bool
	Span    FieldType = "duration" // time.Duration
	Strings FieldType = "strings"  // []string
	Map     FieldType = "map"      // map[string]string
	Object  FieldType = "object"   // Settings
)

// Settings are validated settings: each present field has the Go type that its
// FieldType names, and defaults are filled in.
type Settings map[string]any

// String returns a string setting, "" if absent.
func (s Settings) String(name string) string { v, _ := s[name].(string); return v }

// Int returns an int setting, 0 if absent.
func (s Settings) Int(name string) int64 { v, _ := s[name].(int64); return v }

// Float returns a float setting, 0 if absent.
func (s Settings) Float(name string) float64 { v, _ := s[name].(float64); return v }

// Bool returns a bool setting, false if absent.
func (s Settings) Bool(name string) bool { v, _ := s[name].(bool); return v }

// Strings returns a list setting, nil if absent.
func (s Settings) Strings(name string) []string { v, _ := s[name].([]string); return v }

// Map returns a map setting, nil if absent.
func (s Settings) Map(name string) map[string]string { v, _ := s[name].(map[string]string); return v }

// Object returns a nested setting, nil if absent.
func (s Settings) Object(name string) Settings { v, _ := s[name].(Settings); return v }

// Env is what the host lends to a connector.
type Env struct {
	// Dir is the project's directory, absolute: relative paths start there and
	// must not leave the configured folder.
	Dir string
	// Name is the source's or destination's name.
	Name string
	// Timezone and Region are the project's defaults.
	Timezone string
	Region   string
}

// Unsupported is the error of a system that lacks what is asked.
func Unsupported(connector, what string) error {
	return weir.Errorf(weir.Invalid, "connector %s can't %s", connector, what)
}
