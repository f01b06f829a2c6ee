package load

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/parleyrtc/parley/bench/keys"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// linkQueue is how many datagrams may wait for pion; handshakes are shorter, and what is lost is sent again.
const linkQueue = 64

// port is one client's socket. Media goes to the client on the engine's thread, the rest to pion. It is pion's ice.UDPMux, for
// the one agent of this client.
type port struct {
	// set at construction
	engine *Engine
	socket *datagram.Socket
	keys   *keys.Keys
	link   atomic.Pointer[link] // the newest one of pion's agent

	// owned by the engine's thread
	id      int32
	client  *Client
	remote  netip.AddrPort // where the server's DTLS comes from, so where media goes
	floor   netip.AddrPort // where the floor is
	in, out *srtp.Context  // nil before the handshake is over
	wide    uint16         // newest transport-wide sequence number: one row for all that the client sends
	dropped uint32         // by the kernel, for want of buffer
	errors  uint64
}

func newPort(e *Engine, socket *datagram.Socket) *port {
	return &port{engine: e, socket: socket, keys: &keys.Keys{}}
}

// deliver sorts what one message holds by the first byte (RFC 7983).
func (p *port) deliver(m *datagram.Message) {
	route := Server
	if m.From == p.floor {
		route = Floor
	}
	for rest := m.Data; len(rest) > 0; {
		b := rest
		if m.Segment > 0 && m.Segment < len(rest) {
			b = rest[:m.Segment]
		}
		rest = rest[len(b):]
		switch first := b[0]; {
		case first >= 128 && first <= 191:
			if p.client != nil {
				p.client.take(b, m, route)
			}
		case first >= 20 && first <= 63:
			p.remote = m.From
			p.keys.Sniff(b)
			p.hand(b, m.From)
		default:
			p.hand(b, m.From)
		}
	}
}

// ready makes the SRTP contexts as soon as the handshake allows.
func (p *port) ready() bool {
	if p.in != nil {
		return true
	}
	in, out, err := p.keys.Contexts()
	if err != nil {
		return false
	}
	p.in, p.out = in, out
	return true
}

// sendControl seals RTCP and sends it to the server.
func (p *port) sendControl(plain []byte) {
	if !p.ready() || !p.remote.IsValid() {
		return
	}
	sealed, err := p.out.EncryptRTCP(nil, plain, nil)
	if err != nil {
		p.errors++
		return
	}
	if p.socket.WriteTo(sealed, p.remote) != nil {
		p.errors++
	}
}

// hand gives pion a copy.
func (p *port) hand(b []byte, from netip.AddrPort) {
	l := p.link.Load()
	if l == nil {
		return
	}
	select {
	case l.queue <- arrival{append([]byte(nil), b...), from}:
	default: // lost, like on a network
	}
}

// close is called by the engine's thread, which reads no more from the socket.
func (p *port) close() {
	if l := p.link.Load(); l != nil {
		_ = l.Close() // it has no error
	}
	_ = p.socket.Close() // UDP has nothing left to say
}

// GetConn is ice.UDPMux.
func (p *port) GetConn(string, net.Addr) (net.PacketConn, error) {
	l := &link{port: p, queue: make(chan arrival, linkQueue), closed: make(chan struct{})}
	p.link.Store(l)
	return l, nil
}

// GetListenAddresses is ice.UDPMux.
func (p *port) GetListenAddresses() []net.Addr {
	return []net.Addr{net.UDPAddrFromAddrPort(p.socket.Local())}
}

// RemoveConnByUfrag is ice.UDPMux; the agent closes its link as well.
func (p *port) RemoveConnByUfrag(string) {}

// Close is ice.UDPMux. The socket stays until the engine shuts it.
func (p *port) Close() error { return nil }

// arrival is one datagram for pion.
type arrival struct {
	data []byte
	from netip.AddrPort
}

// link is the connection that an ICE agent reads and writes.
type link struct {
	port   *port
	queue  chan arrival
	once   sync.Once
	closed chan struct{}
}

// ReadFromAddrPort is ice.AddrPortReaderWriter.
func (l *link) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case a := <-l.queue:
		return copy(b, a.data), a.from, nil
	case <-l.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// WriteToAddrPort is ice.AddrPortReaderWriter.
func (l *link) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-l.closed:
		return 0, net.ErrClosed
	default:
		return len(b), l.port.send(b, to)
	}
}

// send is for pion's goroutines: the engine may close the socket meanwhile, so the engine sends.
func (p *port) send(b []byte, to netip.AddrPort) error {
	b = append([]byte(nil), b...)
	select {
	case p.engine.commands <- func() {
		if p.engine.ports[p.id] == p && p.socket.WriteTo(b, to) != nil {
			p.errors++
		}
	}:
		p.engine.bell.Wake()
		return nil
	case <-p.engine.done:
		return net.ErrClosed
	}
}

// ReadFrom is net.PacketConn.
func (l *link) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := l.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo is net.PacketConn.
func (l *link) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, os.ErrInvalid
	}
	return l.WriteToAddrPort(b, udp.AddrPort())
}

// LocalAddr is net.PacketConn.
func (l *link) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(l.port.socket.Local()) }

// Close is net.PacketConn.
func (l *link) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// SetDeadline is net.PacketConn. pion sets one only to be let go of.
func (l *link) SetDeadline(t time.Time) error { return l.SetReadDeadline(t) }

// SetReadDeadline is net.PacketConn.
func (l *link) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		return l.Close()
	}
	return nil
}

// SetWriteDeadline is net.PacketConn; writing never waits.
func (l *link) SetWriteDeadline(time.Time) error { return nil }
