package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// serveTaken is the S3 child of a platform to whom somebody is faster: before it
// listens for the first time, its port is taken by another process, as it were.
func serveTaken(marks string) error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c serveConfig
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	mark, err := os.OpenFile(filepath.Join(marks, "taken"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case err == nil:
		l, err := net.Listen("tcp", c.Address)
		if err != nil {
			return err
		}
		defer l.Close()
		if _, err := mark.WriteString(c.Address); err != nil {
			return err
		}
	case !errors.Is(err, os.ErrExist):
		return err
	}
	return ServeS3(context.Background(), io.MultiReader(strings.NewReader(string(line)), in))
}

// TestPortTakenMeanwhile: the real S3 child can't listen, so the platform starts anew.
func TestPortTakenMeanwhile(t *testing.T) {
	marks := t.TempDir()
	o := options(filepath.Join(t.TempDir(), ".weir"))
	o.Self = append(o.Self, "taken", marks)
	p, err := Start(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { must(t, p.Stop()) })
	if b, err := os.ReadFile(filepath.Join(marks, "taken")); err != nil || len(b) == 0 {
		t.Errorf("the port was not taken: %q, %v", b, err)
	}
	c, err := p.Dial(t.Context())
	must(t, err)
	c.Close()
}

func TestOtherPortsAreTriedOnlyWhereItHelps(t *testing.T) {
	taken := errors.New("listen tcp 127.0.0.1:1: bind: " + syscall.EADDRINUSE.Error())
	for name, c := range map[string]struct {
		fails []error // of the starts, one after the other
		want  error
		calls int
	}{
		"started":      {nil, nil, 1},
		"taken twice":  {[]error{taken, taken}, nil, 3},
		"always taken": {[]error{taken, taken, taken, taken, taken}, taken, portTries},
		"disk full":    {[]error{syscall.ENOSPC}, syscall.ENOSPC, 1},
		"then full":    {[]error{taken, syscall.ENOSPC}, syscall.ENOSPC, 2},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			p, err := onOtherPorts(testLog(), func() (*Platform, error) {
				calls++
				if calls <= len(c.fails) {
					return nil, c.fails[calls-1]
				}
				return &Platform{}, nil
			})
			if !errors.Is(err, c.want) || calls != c.calls || (p == nil) != (c.want != nil) {
				t.Errorf("%v after %d starts, want %v after %d", err, calls, c.want, c.calls)
			}
		})
	}
}
