package turn

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// relay is the socket of one allocation. It talks to media addresses only, whatever permissions the library holds.
type relay struct {
	// Set at construction.
	carrier        *carrier
	client         netip.AddrPort
	clientAddr     net.Addr // What the library knows the client as.
	owner, session string
	conn           *net.UDPConn

	once sync.Once // Close.
	gone sync.Once // The reading loop has ended.
}

var errNoRelayPort = errors.New("turn: no free relay port")

// portTries is how many taken ports are passed over before a range counts as full.
const portTries = 128

// openRelay binds a relay socket within the configured range, starting anywhere in it.
func openRelay(bind netip.Addr, low, high uint16) (*net.UDPConn, error) {
	network := "udp6"
	if bind.Is4() {
		network = "udp4"
	}
	if low == 0 {
		return net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(bind, 0)))
	}
	size := int(high) - int(low) + 1
	start := rand.IntN(size)
	for i := range min(size, portTries) {
		port := low + uint16((start+i)%size)
		conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(bind, port)))
		if err == nil {
			return conn, nil
		}
	}
	return nil, errNoRelayPort
}

// ReadFrom implements net.PacketConn: it gives the next packet of a media address.
func (r *relay) ReadFrom(b []byte) (int, net.Addr, error) {
	m := r.carrier.server.metrics
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if transient(err) {
				continue
			}
			_ = r.Close()
			r.gone.Do(r.carrier.relays.Done)
			return 0, nil, err
		}
		addr := r.carrier.server.peers.Inbound(from)
		if addr == nil {
			m.deny(deniedStray)
			continue
		}
		m.toClient.Add(float64(n))
		return n, addr, nil
	}
}

// WriteTo implements net.PacketConn. A packet for another than a media address is dropped and counted, and no error: a
// permission is for all ports of an address.
func (r *relay) WriteTo(b []byte, addr net.Addr) (int, error) {
	to := r.carrier.server.peers.Outbound(addrPort(addr))
	if to == nil {
		r.carrier.server.metrics.deny(deniedPeer)
		return len(b), nil
	}
	if _, err := r.conn.WriteToUDP(b, to); err != nil {
		// Media is lost now and then; the library would make a line of text of it.
		return len(b), nil
	}
	r.carrier.server.metrics.toPeer.Add(float64(len(b)))
	return len(b), nil
}

// Close ends the allocation; the library notices by its ReadFrom.
func (r *relay) Close() error {
	var err error
	r.once.Do(func() {
		err = r.conn.Close()
		if r.carrier.server.books.leave(r) {
			r.carrier.server.metrics.allocations.Dec()
		}
		r.carrier.forget(r)
	})
	return err
}

// LocalAddr implements net.PacketConn.
func (r *relay) LocalAddr() net.Addr { return r.conn.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (r *relay) SetDeadline(t time.Time) error { return r.conn.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (r *relay) SetReadDeadline(t time.Time) error { return r.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (r *relay) SetWriteDeadline(t time.Time) error { return r.conn.SetWriteDeadline(t) }

// addrPort reads the address types the library uses, keeping the encoding of the address. Zero: none of them.
func addrPort(addr net.Addr) netip.AddrPort {
	var ip net.IP
	var port int
	switch a := addr.(type) {
	case *net.UDPAddr:
		ip, port = a.IP, a.Port
	case *net.TCPAddr:
		ip, port = a.IP, a.Port
	}
	if p, ok := netip.AddrFromSlice(ip); ok {
		return netip.AddrPortFrom(p, uint16(port))
	}
	return netip.AddrPort{}
}
