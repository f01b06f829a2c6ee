package turn

import (
	"io"
	"net"
	"net/netip"
	"sync"
)

// Media is the media plane of this process, as far as relaying goes. Its methods may be called by any goroutine.
//
// What Deliver brings is from the relayed address, and what the network brings never is. No program on this machine can have
// the address, because its port is bound as long as it is attached. But a source may be forged, or be given by the router that
// has the advertised address: the plane drops what the network brings from an attached address.
type Media interface {
	// Attach makes a relayed address known before any client is told it. What the plane sends there it gives to receive,
	// together with the media address it sends from: one of Config.Peers, or its alias where it has one. Receive only
	// borrows b, never blocks and may be called by any goroutine, even after detach, when it does nothing. Neither Attach
	// nor detach calls it.
	Attach(relayed netip.AddrPort, receive func(b []byte, from netip.AddrPort)) (detach func())
	// Deliver hands over a datagram of a relayed address for a media address, named as in Attach. It only borrows b and never
	// blocks. One last datagram may still come while the address is being detached.
	Deliver(b []byte, from, to netip.AddrPort)
}

const (
	// maxWaiting is how many datagrams wait for a client that takes them too slowly: a second of good video. What comes
	// then is dropped, as a socket would.
	maxWaiting = 256
	// maxDatagram is what the library reads at most of one (its rtpMTU).
	maxDatagram = 1600
)

// datagram is one that waits, in a list.
type datagram struct {
	next *datagram
	from netip.AddrPort
	size int
	b    [maxDatagram]byte
}

// spare are datagrams that nobody waits for. An idle relayed address holds none.
var spare = sync.Pool{New: func() any { return new(datagram) }}

// direct is the way past the kernel: to the media plane at once, from it through a bounded queue, because the library reads
// when it likes.
type direct struct {
	// Set at construction.
	media   Media
	metrics *metrics
	relayed netip.AddrPort
	local   *net.UDPAddr
	detach  func()
	place   io.Closer // Keeps the port.

	mu          sync.Mutex
	some        sync.Cond // There is something to read, or never will be.
	first, last *datagram
	waiting     int
	closed      bool
}

// newDirect attaches a relayed address to the media plane. Place is closed once it is detached again.
func newDirect(media Media, m *metrics, relayed netip.AddrPort, place io.Closer) *direct {
	d := &direct{media: media, metrics: m, relayed: relayed, local: net.UDPAddrFromAddrPort(relayed), place: place}
	d.some.L = &d.mu
	d.detach = media.Attach(relayed, d.receive)
	return d
}

// receive queues a copy of what the media plane sends.
func (d *direct) receive(b []byte, from netip.AddrPort) {
	if len(b) > maxDatagram {
		d.metrics.deny(deniedMalformed)
		return
	}
	g := spare.Get().(*datagram)
	g.next, g.from, g.size = nil, from, copy(g.b[:], b)
	if denied := d.append(g); denied != "" {
		spare.Put(g)
		d.metrics.deny(denied)
		return
	}
	d.some.Signal()
}

// append puts g at the end, or says why not.
func (d *direct) append(g *datagram) (denied string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return deniedStray
	case d.waiting == maxWaiting:
		return deniedOverflow
	case d.first == nil:
		d.first = g
	default:
		d.last.next = g
	}
	d.last = g
	d.waiting++
	return ""
}

// ReadFromUDPAddrPort implements way.
func (d *direct) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	g := d.take()
	if g == nil {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	n, from := copy(b, g.b[:g.size]), g.from
	spare.Put(g)
	return n, from, nil
}

// take waits for the datagram that waited longest; nil: the way is closed.
func (d *direct) take() *datagram {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.first == nil && !d.closed {
		d.some.Wait()
	}
	if d.closed {
		return nil
	}
	g := d.first
	d.first = g.next
	d.waiting--
	return g
}

// WriteToUDPAddrPort implements way.
func (d *direct) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
	d.media.Deliver(b, d.relayed, to)
	return len(b), nil
}

// LocalAddr implements way.
func (d *direct) LocalAddr() net.Addr { return d.local }

// Close implements way.
func (d *direct) Close() error {
	d.mu.Lock()
	d.closed = true
	for g := d.first; g != nil; {
		next := g.next
		spare.Put(g)
		g = next
	}
	d.first, d.last, d.waiting = nil, nil, 0
	d.mu.Unlock()
	d.some.Broadcast()
	d.detach()
	return d.place.Close()
}
