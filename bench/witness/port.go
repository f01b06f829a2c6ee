package witness

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/bench/keys"
)

const (
	// linkQueue is how many datagrams may wait for pion; handshakes are shorter, and what is lost is sent again.
	linkQueue = 64
	// socketBuffer holds what comes while this process is busy.
	socketBuffer = 4 << 20
)

// port is a witness's socket. It is pion's ice.UDPMux for one agent; media goes to take and never reaches pion.
type port struct {
	socket *net.UDPConn
	keys   keys.Keys
	take   func(b []byte, at time.Time)   // of media; on the port's goroutine
	link   atomic.Pointer[link]           // the newest one of pion's agent
	remote atomic.Pointer[netip.AddrPort] // where the server's DTLS comes from, so where media goes
	wg     sync.WaitGroup
}

func openPort(take func([]byte, time.Time)) (*port, error) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = socket.SetReadBuffer(socketBuffer)
	p := &port{socket: socket, take: take}
	p.wg.Go(p.read)
	return p, nil
}

// read sorts what comes by the first byte (RFC 7983); it ends with the socket.
func (p *port) read() {
	buf := make([]byte, 2048)
	for {
		n, from, err := p.socket.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // a refused packet, told by ICMP
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		b := buf[:n]
		switch {
		case n > 12 && b[0] >= 128 && b[0] <= 191:
			p.take(b, time.Now())
			continue
		case n > 0 && b[0] >= 20 && b[0] <= 63:
			p.remote.Store(&from)
			p.keys.Sniff(b)
		}
		if l := p.link.Load(); l != nil {
			select {
			case l.queue <- arrival{append([]byte(nil), b...), from}:
			default: // lost, as on a network
			}
		}
	}
}

// send sends sealed media.
func (p *port) send(b []byte) {
	if to := p.remote.Load(); to != nil {
		_, _ = p.socket.WriteToUDPAddrPort(b, *to) // UDP
	}
}

func (p *port) close() {
	if l := p.link.Load(); l != nil {
		_ = l.Close() // it has no error
	}
	_ = p.socket.Close()
	p.wg.Wait()
}

// GetConn is ice.UDPMux.
func (p *port) GetConn(string, net.Addr) (net.PacketConn, error) {
	l := &link{port: p, queue: make(chan arrival, linkQueue), closed: make(chan struct{})}
	p.link.Store(l)
	return l, nil
}

// GetListenAddresses is ice.UDPMux.
func (p *port) GetListenAddresses() []net.Addr { return []net.Addr{p.socket.LocalAddr()} }

// RemoveConnByUfrag is ice.UDPMux; the agent closes its link as well.
func (p *port) RemoveConnByUfrag(string) {}

// Close is ice.UDPMux. The socket stays until the witness closes it.
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

func (l *link) gone() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// ReadFrom is net.PacketConn.
func (l *link) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case a := <-l.queue:
		return copy(b, a.data), net.UDPAddrFromAddrPort(a.from), nil
	case <-l.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo is net.PacketConn.
func (l *link) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, os.ErrInvalid
	}
	if l.gone() {
		return 0, net.ErrClosed
	}
	return l.port.socket.WriteToUDP(b, udp)
}

// LocalAddr is net.PacketConn.
func (l *link) LocalAddr() net.Addr { return l.port.socket.LocalAddr() }

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
