package schema

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
)

// The columns that collect adds to each raw row.
const (
	RowID       = "_weir_row_id"
	CollectedAt = "_weir_collected_at"
	Origin      = "_weir_origin"
	RowOp       = "_weir_op"
)

// RawName returns the table of a stream, raw.<source>__<stream>.
func RawName(source, stream string) string { return "raw." + source + "__" + stream }

// Raw declares the table that holds a stream as its source has it: the source's
// columns and those that collect adds. All ids are the catalog's to assign.
func Raw(name string, s *arrow.Schema) (Table, error) {
	t := Table{Name: name, Key: []string{RowID}, PersonBy: []string{ByRecord},
		Doc: "Rows of one stream, as its source has them."}
	for _, f := range s.Fields() {
		if strings.HasPrefix(f.Name, "_weir_") {
			continue
		}
		typ, err := FromArrow(f.Type)
		if err != nil {
			return Table{}, weir.Errorf(weir.CodeOf(err), "column %q can't be landed: %w", f.Name, err).At(name)
		}
		t.Columns = append(t.Columns, Column{Name: f.Name, Type: typ})
	}
	t.Columns = append(t.Columns,
		Column{Name: RowID, Type: Text, Required: true, Doc: "The row's key within the stream, as in record_id."},
		Column{Name: CollectedAt, Type: Timestamp, Doc: "When the run that collected it began."},
		Column{Name: Origin, Type: Text, Doc: "File and line, or table and range."},
		Column{Name: RowOp, Type: Text, Doc: "upsert, delete, or former: a row of a consent stream that its source no longer has."},
	)
	if err := t.Check(); err != nil {
		return Table{}, err
	}
	return t, nil
}
