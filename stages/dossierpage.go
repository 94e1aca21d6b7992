package stages

import (
	_ "embed"
	"html/template"
	"io"
	"time"

	"github.com/weir-cdp/weir"
)

//go:embed dossier.html
var dossierSource string

var dossierPage = template.Must(template.New("dossier").Funcs(template.FuncMap{
	"at": func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02 15:04:05")
	},
}).Parse(dossierSource))

// WritePage writes the dossier as one HTML page that needs nothing else.
func (d Dossier) WritePage(w io.Writer) error {
	if err := dossierPage.Execute(w, d); err != nil {
		return weir.Errorf(weir.Internal, "write the evidence: %w", err)
	}
	return nil
}
