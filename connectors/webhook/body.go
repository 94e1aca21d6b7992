package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

// bodyMaker writes the body of a request.
type bodyMaker interface {
	write(to *bytes.Buffer, batch permit.Batch, rows []permit.Row) error
	// sends says whether a field of this name gets into the body.
	sends(field string) bool
}

func newBodyMaker(template string, single, isJSON bool) (bodyMaker, error) {
	if strings.TrimSpace(template) == "" {
		return envelope{}, nil
	}
	return newTemplated(template, single, isJSON)
}

// envelope is the body without a template:
//
//	{"activation":"…","run_id":"…","rows":[{"op":"add","key":"…","idempotency_key":"…","sequence":1,"fields":{…}}]}
//
// A removal has no fields. Where the policy wants rows apart by consent class, which
// those of a request then share, "class" follows run_id.
type envelope struct{}

func (envelope) sends(string) bool { return true }

// classOf is the class of a batch whose rows are to be kept apart by it; else "".
func classOf(b permit.Batch) string {
	if _, apart := b.Obligations()[permit.PartitionByClass]; apart {
		return b.ClassID()
	}
	return ""
}

func (envelope) write(to *bytes.Buffer, batch permit.Batch, rows []permit.Row) error {
	b := to.AvailableBuffer()
	b = append(b, `{"activation":`...)
	b = quote(b, batch.Activation())
	b = append(b, `,"run_id":`...)
	b = quote(b, string(batch.Run().ID))
	if class := classOf(batch); class != "" {
		b = append(b, `,"class":`...)
		b = quote(b, class)
	}
	b = append(b, `,"rows":[`...)
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRow(b, r)
	}
	b = append(b, "]}"...)
	to.Write(b)
	return nil
}

func appendRow(b []byte, r permit.Row) []byte {
	b = append(b, `{"op":`...)
	b = quote(b, string(r.Op))
	b = append(b, `,"key":`...)
	b = quote(b, r.Key)
	b = append(b, `,"idempotency_key":`...)
	b = quote(b, r.IdempotencyKey)
	b = append(b, `,"sequence":`...)
	b = strconv.AppendInt(b, r.Sequence, 10)
	if r.Op != weir.Remove {
		b = append(b, `,"fields":{`...)
		for i, f := range r.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(quote(b, f.Name), ':')
			b = appendValue(b, f.Value)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// quote appends a JSON string; what is no UTF-8 is replaced.
func quote(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
	return b
}

// appendValue appends a value of a type that sendable accepts.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return quote(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case permit.Decimal:
		if !isNumber(string(v)) {
			return quote(b, string(v))
		}
		return append(b, v...) // a number with its exact digits
	case bool:
		return strconv.AppendBool(b, v)
	case time.Time:
		return quote(b, v.UTC().Format(time.RFC3339Nano))
	}
	return append(b, "null"...)
}

func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && json.Valid([]byte(s))
}

// sendable finds what can't be written, before a request is made of it.
func sendable(r permit.Row) error {
	for _, f := range r.Fields {
		switch f.Value.(type) {
		case nil, string, int64, permit.Decimal, bool, time.Time:
		default:
			return fmt.Errorf("field %s has a value of type %T, which can't be sent", f.Name, f.Value)
		}
	}
	return nil
}
