package turn

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// relay is the relayed address of one allocation. It talks to media addresses only, whatever permissions the library holds.
type relay struct {
	// Set at construction.
	carrier        *carrier
	client         netip.AddrPort
	clientAddr     net.Addr // What the library knows the client as.
	owner, session string
	way            way

	once      sync.Once   // end.
	gone      sync.Once   // The reading loop has ended.
	dismissed atomic.Bool // The library has deleted the allocation.
}

// ReadFrom implements net.PacketConn: it gives the next packet of a media address.
func (r *relay) ReadFrom(b []byte) (int, net.Addr, error) {
	m := r.carrier.server.metrics
	for {
		n, from, err := r.way.ReadFromUDPAddrPort(b)
		if err != nil {
			if transient(err) {
				continue
			}
			_ = r.end()
			r.gone.Do(r.carrier.relays.Done)
			if r.dismissed.Load() {
				// With an error the library would delete, once more, what the client has allocated: by now another one.
				runtime.Goexit()
			}
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
	to, ok := r.carrier.server.peers.Outbound(addrPort(addr))
	if !ok {
		r.carrier.server.metrics.deny(deniedPeer)
		return len(b), nil
	}
	if _, err := r.way.WriteToUDPAddrPort(b, to); err != nil {
		// Media is lost now and then; the library would make a line of text of it.
		return len(b), nil
	}
	r.carrier.server.metrics.toPeer.Add(float64(len(b)))
	return len(b), nil
}

// Close implements net.PacketConn: the library has deleted the allocation.
func (r *relay) Close() error {
	r.dismissed.Store(true)
	return r.end()
}

// end ends the allocation; the library notices by its ReadFrom.
func (r *relay) end() error {
	var err error
	r.once.Do(func() {
		err = r.way.Close()
		if r.carrier.server.books.leave(r) {
			r.carrier.server.metrics.allocations.Dec()
		}
		r.carrier.forget(r)
	})
	return err
}

// LocalAddr implements net.PacketConn.
func (r *relay) LocalAddr() net.Addr { return r.way.LocalAddr() }

// SetDeadline implements net.PacketConn. The library never sets one: it ends its reading by Close.
func (r *relay) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline implements net.PacketConn.
func (r *relay) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline implements net.PacketConn.
func (r *relay) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

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
