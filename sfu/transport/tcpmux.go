package transport

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v4/packetio"
)

// tcpFace is the TCP listeners as one client's agent sees them. It takes RTP and RTCP off, for the owner, before pion has seen
// them. It is an ice.TCPMux and an ice.AllConnsGetter.
type tcpFace struct {
	listeners tcpMuxes
	owner     owner
	counts    *tcpCounts

	conns  atomic.Pointer[[]*tcpConn] // the latest first; written with mu held
	mu     sync.Mutex                 // held to write conns and proven
	linger linger
	proven atomic.Pointer[[]netip.AddrPort] // where authenticated checks came from, the latest last
}

// tcpCounts is counted by all clients together.
type tcpCounts struct {
	dropped atomic.Uint64 // packets that found tcpWriteBuffer bytes waiting: the client does not read as fast
	strange atomic.Uint64 // media over connections that no authenticated check came over
}

// peer returns the listeners for one client's agent. What goes wrong is added to counts.
func (t tcpMuxes) peer(o owner, counts *tcpCounts) *tcpFace {
	return &tcpFace{listeners: t, owner: o, counts: counts}
}

// learn notes that an authenticated check came over a connection. A connection gets to a client by the user name fragment of
// its first check alone, which proves nothing. At most maxRemotes are remembered.
func (f *tcpFace) learn(from netip.AddrPort) {
	from = canonical(from)
	f.mu.Lock()
	defer f.mu.Unlock()
	var old []netip.AddrPort
	if p := f.proven.Load(); p != nil {
		old = *p
	}
	if len(old) > 0 && old[len(old)-1] == from {
		return
	}
	next := make([]netip.AddrPort, 0, len(old)+1)
	for _, a := range old {
		if a != from {
			next = append(next, a)
		}
	}
	if len(next) == maxRemotes {
		next = next[1:]
	}
	next = append(next, from)
	f.proven.Store(&next)
}

func (f *tcpFace) knows(from net.Addr) bool {
	tcp, ok := from.(*net.TCPAddr)
	p := f.proven.Load()
	return ok && p != nil && slices.Contains(*p, canonical(tcp.AddrPort()))
}

// GetAllConns returns the listeners' sides for one local address (ice.AllConnsGetter).
func (f *tcpFace) GetAllConns(ufrag string, isIPv6 bool, local net.IP) ([]net.PacketConn, error) {
	conns, err := f.listeners.GetAllConns(ufrag, isIPv6, local)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.linger.note(ufrag, isIPv6, local)
	for i, c := range conns {
		conns[i] = f.wrap(c)
	}
	return conns, err
}

// GetConnByUfrag returns the first of GetAllConns.
func (f *tcpFace) GetConnByUfrag(ufrag string, isIPv6 bool, local net.IP) (net.PacketConn, error) {
	c, err := f.listeners.GetConnByUfrag(ufrag, isIPv6, local)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.linger.note(ufrag, isIPv6, local)
	return f.wrap(c), nil
}

// maxTCPConns is how many local addresses, and those of the time before the last ICE restart, a client's packets may leave by.
const maxTCPConns = 16

// wrap is for the face to see what passes. f.mu is held.
func (f *tcpFace) wrap(inner net.PacketConn) *tcpConn {
	c := &tcpConn{inner, f}
	next := []*tcpConn{c}
	if old := f.conns.Load(); old != nil {
		next = append(next, (*old)[:min(len(*old), maxTCPConns-1)]...)
	}
	f.conns.Store(&next)
	return c
}

// tcpWay leads to one connection of a client.
type tcpWay struct {
	face *tcpFace
	to   net.Addr
}

// send queues a packet; net.ErrClosed when the connection is gone.
func (w *tcpWay) send(b []byte) error {
	if conns := w.face.conns.Load(); conns != nil {
		for _, c := range *conns {
			if _, err := c.WriteTo(b, w.to); !errors.Is(err, io.ErrClosedPipe) { // this is what a conn says that does not know the address
				return err
			}
		}
	}
	return net.ErrClosed
}

// Close does nothing: the listeners are everybody's, and the agent closes its conns.
func (f *tcpFace) Close() error { return nil }

// tcpConn is all TCP connections of one client at one local address.
type tcpConn struct {
	net.PacketConn
	face *tcpFace
}

// ReadFrom returns the next packet that is not RTP or RTCP.
func (c *tcpConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil || n == 0 || !isMedia(b) {
			return n, from, err
		}
		if c.face.knows(from) {
			c.face.owner.fromTCP(b[:n])
		} else {
			c.face.counts.strange.Add(1)
		}
	}
}

// SetDeadline is what pion calls before it closes its side. The connections may linger, so they go on writing.
func (c *tcpConn) SetDeadline(at time.Time) error { return c.SetReadDeadline(at) }

// WriteTo queues a packet, and drops it when the client is too far behind. It never waits for the client: pion writes from a
// goroutine of its own.
func (c *tcpConn) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.PacketConn.WriteTo(b, to)
	if errors.Is(err, packetio.ErrFull) {
		c.face.counts.dropped.Add(1)
	}
	return n, err
}
