package files

import (
	"bytes"
	"io"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/weir-cdp/weir"
)

// sampleSize is how much of a file's beginning detection sees.
const sampleSize = 256 << 10

// peek reads up to sampleSize bytes and gives them with a reader of the whole.
// More says that the file goes on after the sample.
func peek(r io.Reader) (sample []byte, whole io.Reader, more bool, err error) {
	if sample, err = io.ReadAll(io.LimitReader(r, sampleSize)); err != nil {
		return nil, nil, false, err
	}
	return sample, io.MultiReader(bytes.NewReader(sample), r), len(sample) == sampleSize, nil
}

// text is a file's content as UTF-8.
type text struct {
	r io.Reader
	// decoded is set if bytes that the encoding does not have were replaced by
	// U+FFFD; else the content is the file's bytes, and may be invalid UTF-8.
	decoded  bool
	encoding string
}

// decode finds the encoding and gives the text. Guess allows Windows-1252 for
// bytes that are not UTF-8; XML asks its declaration.
func decode(r io.Reader, declared, format string) (text, error) {
	sample, whole, more, err := peek(r)
	if err != nil {
		return text{}, err
	}
	name, bom := byMark(sample)
	switch {
	case name != "":
	case declared != "":
		name = declared
	case format == "xml":
		name = xmlDeclared(sample)
	case looksUTF16(sample) != "":
		name = looksUTF16(sample)
	case format == "csv" && !mostlyUTF8(sample, more):
		name = "windows-1252"
	}
	if _, err := io.CopyN(io.Discard, whole, int64(bom)); err != nil {
		return text{}, err
	}
	enc, err := lookup(name)
	if err != nil {
		return text{}, err
	}
	if enc == unicode.UTF8 {
		return text{r: whole, encoding: "utf-8"}, nil
	}
	return text{r: transform.NewReader(whole, enc.NewDecoder()), decoded: true, encoding: name}, nil
}

func lookup(name string) (encoding.Encoding, error) {
	switch name {
	case "", "utf-8":
		return unicode.UTF8, nil
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	}
	enc, err := htmlindex.Get(name)
	if err != nil || enc == encoding.Replacement {
		return nil, weir.Errorf(weir.Invalid, "the encoding %q is not known", name).
			Then("use a name like utf-8, windows-1252, iso-8859-15, utf-16le or shift_jis")
	}
	return enc, nil
}

// byMark reads a byte order mark.
func byMark(b []byte) (name string, size int) {
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		return "utf-8", 3
	case bytes.HasPrefix(b, []byte("\xFF\xFE")):
		return "utf-16le", 2
	case bytes.HasPrefix(b, []byte("\xFE\xFF")):
		return "utf-16be", 2
	}
	return "", 0
}

var declaration = regexp.MustCompile(`^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

func xmlDeclared(b []byte) string {
	m := declaration.FindSubmatch(b[:min(len(b), 1024)])
	if m == nil {
		return looksUTF16(b)
	}
	return string(m[1])
}

// looksUTF16 tells UTF-16 without a mark by its zero bytes, which are on one
// side of most Latin letters.
func looksUTF16(b []byte) string {
	b = b[:min(len(b), 4096)&^1]
	if len(b) < 4 {
		return ""
	}
	var even, odd int
	for i := 0; i < len(b); i += 2 {
		if b[i] == 0 {
			even++
		}
		if b[i+1] == 0 {
			odd++
		}
	}
	half := len(b) / 2
	switch {
	case odd > half*6/10 && even == 0:
		return "utf-16le"
	case even > half*6/10 && odd == 0:
		return "utf-16be"
	}
	return ""
}

// mostlyUTF8 says whether a text is UTF-8, perhaps with a few bad bytes, rather
// than a one-byte encoding: letters beyond ASCII that are whole sequences must
// outnumber bytes that are not.
func mostlyUTF8(b []byte, more bool) bool {
	var good, bad int
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r != utf8.RuneError || size > 1:
			good++
		case more && len(b)-i < utf8.UTFMax: // cut off by the sample's end
		default:
			bad++
		}
		i += size
	}
	return bad == 0 || good > bad
}
