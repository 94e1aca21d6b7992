package connectors

import (
	"fmt"
	"strings"
	"time"
)

// Markdown describes a connector for docs/connectors.md: its settings as tables,
// nested ones by dotted names. The same connector gives the same text.
func Markdown(c Connector) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", c.Name, c.Summary)
	switch {
	case c.OpenSource != nil && c.OpenDestination != nil:
		b.WriteString("Source and destination.\n")
	case c.OpenSource != nil:
		b.WriteString("Source.\n")
	case c.OpenDestination != nil:
		b.WriteString("Destination.\n")
	}
	writeFields(&b, "`config`", c.Config)
	writeFields(&b, "Each stream, beside the common keys", c.Stream)
	return b.String()
}

func writeFields(b *strings.Builder, title string, fields []Field) {
	if len(fields) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n| key | type | default | meaning |\n|---|---|---|---|\n", title)
	writeRows(b, "", fields)
}

func writeRows(b *strings.Builder, prefix string, fields []Field) {
	for _, f := range fields {
		typ := string(f.Type)
		if len(f.Enum) > 0 {
			typ = "`" + strings.Join(f.Enum, "`, `") + "`"
		}
		def := ""
		switch {
		case f.Required:
			def = "required"
		case f.Default != nil:
			def = "`" + defaultText(f.Default) + "`"
		}
		meaning := f.Description
		if f.Secret {
			meaning += " A secret: write `${env:NAME}` or `${file:PATH}`."
		}
		if f.Example != "" {
			meaning += " Example: `" + f.Example + "`."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", prefix+f.Name, cell(typ), cell(def), cell(meaning))
		writeRows(b, prefix+f.Name+".", f.Fields)
	}
}

func defaultText(v any) string {
	switch v := v.(type) {
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case time.Duration:
		return v.String()
	}
	return fmt.Sprint(v)
}

func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ").Replace(s)
}
