package weirtest

import (
	"net"
	"sync"
	"testing"
)

// Proxy stands between Weir and a system that a test takes away.
type Proxy struct {
	Address string // host:port

	to string

	mu      sync.Mutex
	away    bool
	left    int64 // bytes until it is away; below 0: no end
	refused int   // connections while it was away
	open    map[net.Conn]bool
	cut     chan struct{} // closed when it goes away by its bytes
}

// NewProxy passes connections on to an address.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String(), to: to, left: -1, open: map[net.Conn]bool{}, cut: make(chan struct{})}
	t.Cleanup(func() { _ = l.Close(); p.Cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *Proxy) serve(c net.Conn) {
	if !p.admit(c) {
		return
	}
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		p.drop(c)
		return
	}
	if !p.admit(far) {
		p.drop(c)
		return
	}
	go p.pass(far, c)
	p.pass(c, far)
}

// admit keeps a connection, or breaks it while the system is away: what dials then
// sees a server that resets it.
func (p *Proxy) admit(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		p.refused++
		reset(c)
		return false
	}
	p.open[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	_ = c.Close()
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func (p *Proxy) pass(to, from net.Conn) {
	defer p.drop(to)
	defer p.drop(from)
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && p.spend(int64(n)) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// spend counts bytes, and takes the system away with the one too many.
func (p *Proxy) spend(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left < 0 || p.away {
		return !p.away
	}
	if p.left -= n; p.left >= 0 {
		return true
	}
	p.leave()
	close(p.cut)
	return false
}

func (p *Proxy) leave() {
	p.away, p.left = true, -1
	for c := range p.open {
		reset(c)
	}
	clear(p.open)
}

// Cut takes the system away, in the middle of whatever it does.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leave()
}

// CutAfter takes the system away when so many more bytes have passed, both ways
// together. The channel is closed then.
func (p *Proxy) CutAfter(bytes int64) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.cut = bytes, make(chan struct{})
	return p.cut
}

// Mend brings the system back.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away, p.refused = false, 0
}

// Refused counts the connections that were broken since the system is away.
func (p *Proxy) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}
