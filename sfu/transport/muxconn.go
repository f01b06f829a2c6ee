package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// errTaken says that a user name fragment is in use.
var errTaken = errors.New("the ICE user name fragment is in use at this address")

// muxFace is the mux as one client's agent sees it. It is an ice.UDPMux.
type muxFace struct {
	mux   *mux
	party *party
}

// GetListenAddresses returns the local addresses, as candidates are to carry them.
func (f *muxFace) GetListenAddresses() []net.Addr {
	addrs := make([]net.Addr, len(f.mux.local))
	for i, l := range f.mux.local {
		addrs[i] = net.UDPAddrFromAddrPort(l)
	}
	return addrs
}

// GetConn returns a new conn for a user name fragment at a local address. A client has one fragment at a time: a new one takes
// the place of the old.
func (f *muxFace) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return nil, fmt.Errorf("no media socket has a %T", addr)
	}
	local, ok := f.mux.index(udp.AddrPort())
	if !ok {
		return nil, fmt.Errorf("no media socket has the address %s", addr)
	}
	f.mux.mu.Lock()
	defer f.mux.mu.Unlock()
	g, err := f.generation(ufrag)
	if err != nil {
		return nil, err
	}
	if old := g.conns[local].Load(); old != nil && !old.ring.isClosed() {
		return nil, errTaken
	}
	c := &muxConn{mux: f.mux, party: f.party, local: local, addr: udp, ring: newRing(f.mux.places)}
	g.conns[local].Store(c)
	return c, nil
}

// generation returns what the fragment stands for, with mux.mu held.
func (f *muxFace) generation(ufrag string) (*generation, error) {
	g := f.mux.ufrags[ufrag]
	if g != nil {
		if g.party != f.party {
			return nil, errTaken
		}
		return g, nil
	}
	g = &generation{ufrag: ufrag, party: f.party, conns: make([]atomic.Pointer[muxConn], len(f.mux.local))}
	old, ok := f.mux.remotes.renew(f.party, g)
	if !ok {
		return nil, io.ErrClosedPipe
	}
	if old != nil && f.mux.ufrags[old.ufrag] == old {
		delete(f.mux.ufrags, old.ufrag)
	}
	f.mux.ufrags[ufrag] = g
	return g, nil
}

// RemoveConnByUfrag makes a fragment of this client unknown. Its conns stay open until the agent closes them.
func (f *muxFace) RemoveConnByUfrag(ufrag string) {
	f.mux.mu.Lock()
	defer f.mux.mu.Unlock()
	if g := f.mux.ufrags[ufrag]; g != nil && g.party == f.party {
		delete(f.mux.ufrags, ufrag)
	}
}

// Close closes this client's conns.
func (f *muxFace) Close() error {
	if g := f.party.newest.Load(); g != nil {
		f.RemoveConnByUfrag(g.ufrag)
		g.close()
	}
	return nil
}

// muxConn is a client's agent's side of one local address. It is a net.PacketConn and an ice.AddrPortReaderWriter; one
// goroutine reads.
type muxConn struct {
	mux   *mux
	party *party
	local int // index in mux.local
	addr  *net.UDPAddr
	ring  *ring

	asked [pending]transaction // guarded by mux.checks.mu
	next  int                  // guarded by mux.checks.mu
	over  bool                 // guarded by mux.checks.mu; it asks no more
}

// ReadFromAddrPort waits for the next datagram.
func (c *muxConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) { return c.ring.take(b) }

// ReadFrom waits for the next datagram.
func (c *muxConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ring.take(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToAddrPort sends a datagram. io.ErrClosedPipe is what pion knows a closed conn by.
func (c *muxConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if c.ring.isClosed() {
		return 0, io.ErrClosedPipe
	}
	if stunClass(b) == stunRequest {
		c.mux.checks.asked(c, b)
	}
	if err := c.mux.write(c.local, b, c.mux.behind(c.party, to)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// WriteTo sends a datagram.
func (c *muxConn) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("cannot send UDP to a %T", to)
	}
	return c.WriteToAddrPort(b, udp.AddrPort())
}

// Close makes the reader return.
func (c *muxConn) Close() error {
	c.ring.close()
	c.mux.checks.forget(c)
	return nil
}

// LocalAddr is the address that the candidate has.
func (c *muxConn) LocalAddr() net.Addr { return c.addr }

// SetDeadline makes the reader return, when the deadline has passed already; others are refused. Writing never waits.
func (c *muxConn) SetDeadline(at time.Time) error { return c.ring.expire(at) }

// SetReadDeadline is SetDeadline.
func (c *muxConn) SetReadDeadline(at time.Time) error { return c.ring.expire(at) }

// SetWriteDeadline does nothing.
func (c *muxConn) SetWriteDeadline(time.Time) error { return nil }
