package files

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever a row holds, the short way through a line gives what the way byte for
// byte gives, which alone takes rows that are broken or longer than a line.
func TestShortWayAgreesWithTheLongOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "é", ",", `"`, `""`, `",`, `,"`, "\r", "\n", "\r\n", `"x,y"`}), 0, 30).Draw(t, "text"), "")
		parser := func() *csvParser {
			return &csvParser{lines: newLines(strings.NewReader(text), 40), delimiter: ',', quote: '"'}
		}
		short, long := parser(), parser()
		for {
			serr, lerr := short.next(), byteForByte(long)
			if got, want := rowOf(short), rowOf(long); !errors.Is(serr, lerr) || serr == nil && got != want {
				t.Fatalf("%q: %s %v, want %s %v", text, got, serr, want, lerr)
			}
			if serr != nil {
				return
			}
		}
	})
}

// byteForByte is next by quoted alone.
func byteForByte(p *csvParser) error {
	for {
		p.at, p.bad, p.fields = p.number, "", p.fields[:0]
		n, ended, err := p.length()
		if errors.Is(err, errTooLong) {
			return p.tooLong()
		}
		if err != nil {
			return err
		}
		if len(chomp(p.buf[p.start:p.start+n])) == 0 {
			p.advanceLine(n, ended)
			continue
		}
		return p.quoted(n)
	}
}

func rowOf(p *csvParser) string {
	out := fmt.Sprintf("line %d %s, next %d:", p.at, p.bad, p.number)
	for _, f := range p.fields {
		out += fmt.Sprintf(" %q %v", p.value(f, nil), f.quoted)
	}
	return out
}
