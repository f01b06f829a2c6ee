package turn

import (
	"net"
	"net/netip"
	"time"
)

// datagrams is a carrier over a UDP socket, shared by all clients that write to it.
type datagrams struct {
	*carrier
	conn *net.UDPConn
}

func newDatagrams(s *Server, conn *net.UDPConn) *datagrams {
	d := &datagrams{carrier: newCarrier(s, conn.LocalAddr()), conn: conn}
	d.rationed = true
	d.write = func(b []byte, to net.Addr) error {
		_, err := conn.WriteTo(b, to)
		return err
	}
	return d
}

// ReadFrom implements net.PacketConn: it gives the library the next datagram that passes the guard.
func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	d.settle()
	for {
		n, from, err := d.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if transient(err) {
				continue
			}
			d.finish()
			return 0, nil, err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		var addr net.Addr
		if r := d.relayOf(from); r != nil {
			addr = r.clientAddr
		} else {
			addr = net.UDPAddrFromAddrPort(from)
		}
		if d.accept(b[:n], addr, from) {
			return n, addr, nil
		}
	}
}

// WriteTo implements net.PacketConn.
func (d *datagrams) WriteTo(b []byte, to net.Addr) (int, error) { return len(b), d.reply(b, to) }

// Close implements net.PacketConn.
func (d *datagrams) Close() error { return d.conn.Close() }

// LocalAddr implements net.PacketConn.
func (d *datagrams) LocalAddr() net.Addr { return d.local }

// SetDeadline implements net.PacketConn.
func (d *datagrams) SetDeadline(t time.Time) error { return d.conn.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (d *datagrams) SetReadDeadline(t time.Time) error { return d.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (d *datagrams) SetWriteDeadline(t time.Time) error { return d.conn.SetWriteDeadline(t) }
