package connectors_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

func rowOf(key string, values ...any) permit.Row {
	r := permit.Row{Key: key}
	for i, v := range values {
		r.Fields = append(r.Fields, permit.Field{Name: fmt.Sprint("f", i), Value: v})
	}
	return r
}

func TestMask(t *testing.T) {
	m := connectors.NewMask([]permit.Row{
		rowOf("ann@x.org", "Ann", "Ann Smith", permit.Decimal("1234.50"), int64(778), time.Date(1980, 2, 3, 0, 0, 0, 0, time.UTC)),
		rowOf("bob@x.org", "Zoé", "Smith Jones", "Straße 5", "名前", "Jean  Luc", nil, true),
	})
	for in, want := range map[string]string{
		"bob@x.org is known":                        "… is known",
		"ANN SMITH was here":                        "… was here",
		"of Ann Smith Jones":                        "of …",
		"it cannot, Ann, plan":                      "it cannot, …, plan",
		"AnnSmith, ann_x, Ann2":                     "…Smith, …_x, …2",
		"ltv 1234.50, n 778, n 7780":                "ltv …, n …, n 7780",
		"born 1980-02-03":                           "born …",
		"other@y.org, +33 6 12 34 56 78, 16 Mar":    "…, …, 16 Mar",
		`{"name": "Zo\u00e9", "x": "\ud83d\ude00"}`: `{"name": "…", "x": "😀"}`,
		"q=bob%40x.org&n=Zo%C3%A9":                  "q=…&n=…",
		"Zo&eacute; and ZOÉ":                        "… and …",
		"Z\u200bo\u00adé\u202e":                     "…",
		"a\x1b[31mb\x00c\r\nd\u0085e\x7f":           "a [31mb c d e",
		"x名前y":                                      "x…y",
		"STRAßE 5, Jean Luc, true, %zz, \\u12":      "…, …, true, %zz, \\u12",
		"\xff\xfe":                                  "?",
	} {
		if got := m.Text(in); got != want {
			t.Errorf("of %q is told %q, want %q", in, got, want)
		}
	}
}

// TestMaskLeavesNoValue: whatever is around a value of at least five letters, and
// however it is written, it is not told; nor is its beginning where a text is cut.
func TestMaskLeavesNoValue(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("abcdeABCDE éßøΣσςж名0123 -'.")
	word := func(from, to int) string {
		out := make([]rune, from+draw.IntN(to-from))
		for i := range out {
			out[i] = alphabet[draw.IntN(len(alphabet))]
		}
		return string(out)
	}
	for range 300 {
		var rows []permit.Row
		var values []string
		for range 1 + draw.IntN(30) {
			v := connectors.Tidy(word(5, 12))
			if len([]rune(v)) < 5 {
				continue
			}
			values = append(values, v)
			rows = append(rows, rowOf("", v))
		}
		var said strings.Builder
		for range draw.IntN(800) {
			switch draw.IntN(4) {
			case 0:
				said.WriteString(word(1, 6))
			case 1:
				if len(values) > 0 {
					said.WriteString(strings.ToUpper(values[draw.IntN(len(values))]))
				}
			case 2:
				said.WriteRune(rune(draw.IntN(0x300)))
			default:
				if len(values) > 0 {
					said.WriteString(values[draw.IntN(len(values))])
				}
			}
		}
		got := connectors.NewMask(rows).Text(said.String())
		if i := strings.IndexFunc(got, unicode.IsControl); i >= 0 {
			t.Fatalf("%q has a control character", got)
		}
		for _, v := range values {
			if strings.Contains(strings.ToLower(got), strings.ToLower(v)) {
				t.Fatalf("%q is told in %q", v, got)
			}
		}
	}
}

func TestMaskDoesNotCutAValue(t *testing.T) {
	m := connectors.NewMask([]permit.Row{rowOf("", "Maximiliane")})
	for n := range 12 {
		for _, size := range []int{2 << 10, 8 << 10} {
			got := m.Text(strings.Repeat("-", size-n) + "Maximiliane of")
			if strings.Contains(got, "M") {
				t.Errorf("cut after %d letters, it ends with %q", n, got[len(got)-20:])
			}
		}
	}
}
