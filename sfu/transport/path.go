package transport

import (
	"net/netip"
	"sync/atomic"
)

// path is the way to a client. Another way is another path.
type path struct {
	local int            // index of our address
	addr  netip.AddrPort // of the client

	tcp     *tcpWay  // for addr over TCP; nil otherwise
	relayed *relayed // for addr behind our own TURN server; nil otherwise

	// single says that the way takes no trains: something on it cannot cut them.
	single atomic.Bool

	// also is where everything goes as well while the client may have moved there; mostly nil.
	also atomic.Pointer[trial]
}

// direct says that datagrams leave by our own socket.
func (p *path) direct() bool { return p.tcp == nil && p.relayed == nil }

// write sends one datagram on a path that is not direct. It does not wait: what the client does not take is lost.
func (p *path) write(b []byte, from netip.AddrPort) error {
	if p.relayed != nil {
		p.relayed.send(b, from)
		return nil
	}
	return p.tcp.send(b)
}
