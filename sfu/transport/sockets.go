package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/pion/ice/v4"
	"golang.org/x/net/netutil"
)

const (
	tcpConnections = 4096    // open at a time on one listener
	tcpWriteBuffer = 1 << 20 // bytes of one client, then packets are dropped
	tcpPatience    = 10 * time.Second
)

// listen opens every address of the configuration.
func (p *Plane) listen() error {
	for _, address := range p.config.UDP {
		hosts, port, err := expand(address, p.config.Advertise)
		if err != nil {
			return fmt.Errorf("media UDP address %q: %w", address, err)
		}
		for _, host := range hosts {
			sockets, err := p.open(netip.AddrPortFrom(host, port))
			if err != nil {
				return err
			}
			local := sockets[0].Local()
			port = local.Port() // port 0 is chosen once for all addresses of a wildcard
			p.sockets, p.local = append(p.sockets, sockets), append(p.local, local)
			p.names = append(p.names, p.note(local))
		}
	}
	read, write := p.sockets[0][0].Buffers()
	p.config.Logger.Info("media sockets", "addresses", p.addresses, "for_each", len(p.sockets[0]), "path", p.pathName(),
		"receive_buffer", read, "send_buffer", write, "asked", socketBuffer, "segments", p.longest > 1)
	for _, address := range p.config.TCP {
		if err := p.listenTCP(address); err != nil {
			return err
		}
	}
	return nil
}

// listenTCP needs no socket for each address of a wildcard: a connection knows where it was accepted.
func (p *Plane) listenTCP(address string) error {
	hosts, _, err := expand(address, p.config.Advertise)
	if err != nil {
		return fmt.Errorf("media TCP address %q: %w", address, err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("media TCP port: %w", err)
	}
	local := l.Addr().(*net.TCPAddr).AddrPort()
	at := netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	p.tcp = append(p.tcp, tcpMux{at.Addr(), ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener:                     &fair{Listener: netutil.LimitListener(l, tcpConnections), refused: &p.refused, open: map[netip.Addr]int{}},
		Logger:                       loggers{p.config.Logger}.NewLogger("ice"),
		ReadBufferSize:               64,
		WriteBufferSize:              tcpWriteBuffer,
		FirstStunBindTimeout:         tcpPatience,
		AliveDurationForConnFromStun: tcpPatience,
	})})
	for _, h := range hosts {
		p.note(netip.AddrPortFrom(h, at.Port()))
	}
	return nil
}

// note remembers an address that we listen on, as candidates will carry it, which it returns.
func (p *Plane) note(local netip.AddrPort) netip.AddrPort {
	addr := local.Addr().Unmap()
	p.bound[addr] = true
	p.loopback = p.loopback || addr.IsLoopback()
	for _, a := range p.config.Advertise {
		if a.Unmap().Is4() == addr.Is4() {
			addr = a.Unmap()
		}
	}
	at := netip.AddrPortFrom(addr, local.Port())
	if !slices.Contains(p.addresses, at) {
		p.addresses = append(p.addresses, at)
	}
	return at
}

// offered says whether candidates may carry a local address.
func (p *Plane) offered(ip net.IP) bool {
	addr, ok := netip.AddrFromSlice(ip)
	return ok && p.bound[addr.Unmap()]
}

// expand turns "host:port" into addresses. A wildcard becomes every address of this machine, because a socket on a wildcard
// answers from whichever address the route suggests. Where an address is advertised for a family, a wildcard is only the
// address that the NAT forwards to: one candidate has one socket.
func expand(address string, advertise []netip.Addr) ([]netip.Addr, uint16, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, 0, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, 0, fmt.Errorf("port %q is not a number", service)
	}
	if host == "" {
		host = "::"
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if !addr.IsUnspecified() {
			return []netip.Addr{addr}, uint16(port), nil
		}
		hosts, err := local(addr.Is4())
		return forwarded(hosts, advertise), uint16(port), err
	}
	ips, err := net.LookupIP(host)
	if err != nil {
		return nil, 0, err
	}
	var hosts []netip.Addr
	for _, ip := range ips {
		if addr, ok := netip.AddrFromSlice(ip); ok {
			hosts = append(hosts, addr.Unmap())
		}
	}
	return hosts, uint16(port), nil
}

// local lists this machine's addresses; loopback only when there is nothing else.
func local(only4 bool) ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var hosts, loopback []netip.Addr
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		addr, ok := netip.AddrFromSlice(n.IP)
		addr = addr.Unmap()
		switch {
		case !ok || only4 && !addr.Is4() || addr.IsLinkLocalUnicast():
		case addr.IsLoopback():
			loopback = append(loopback, addr)
		default:
			hosts = append(hosts, addr)
		}
	}
	if len(hosts) == 0 {
		hosts = loopback
	}
	if len(hosts) == 0 {
		return nil, errors.New("this machine has no address")
	}
	return hosts, nil
}

// forwarded leaves, of a family with an advertised address, only the address of the default route.
func forwarded(hosts, advertise []netip.Addr) []netip.Addr {
	for _, a := range advertise {
		four := a.Unmap().Is4()
		if routed, ok := routed(four); ok && slices.Contains(hosts, routed) {
			hosts = slices.DeleteFunc(hosts, func(h netip.Addr) bool { return h.Is4() == four && h != routed })
		}
	}
	return hosts
}

// routed is the local address of the default route. Connecting a UDP socket sends nothing.
func routed(four bool) (netip.Addr, bool) {
	network, documentation := "udp6", "[2001:db8::1]:9"
	if four {
		network, documentation = "udp4", "192.0.2.1:9"
	}
	conn, err := net.Dial(network, documentation)
	if err != nil {
		return netip.Addr{}, false
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), true
}

// tcpMuxes picks the listener that a candidate's address belongs to. It is an ice.TCPMux.
type tcpMuxes []tcpMux

type tcpMux struct {
	addr netip.Addr
	mux  *ice.TCPMuxDefault
}

// GetAllConns returns the listeners' sides for one local address (ice.AllConnsGetter).
func (t tcpMuxes) GetAllConns(ufrag string, isIPv6 bool, local net.IP) ([]net.PacketConn, error) {
	addr, _ := netip.AddrFromSlice(local)
	addr = addr.Unmap()
	var conns []net.PacketConn
	for _, m := range t {
		if m.addr != addr && !(m.addr.IsUnspecified() && (m.addr.Is6() || addr.Is4())) {
			continue
		}
		c, err := m.mux.GetConnByUfrag(ufrag, isIPv6, local)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// GetConnByUfrag returns the first of GetAllConns.
func (t tcpMuxes) GetConnByUfrag(ufrag string, isIPv6 bool, local net.IP) (net.PacketConn, error) {
	conns, err := t.GetAllConns(ufrag, isIPv6, local)
	if err == nil && len(conns) == 0 {
		err = net.ErrClosed
	}
	if err != nil {
		return nil, err
	}
	return conns[0], nil
}

// RemoveConnByUfrag closes a client's connections.
func (t tcpMuxes) RemoveConnByUfrag(ufrag string) {
	for _, m := range t {
		m.mux.RemoveConnByUfrag(ufrag)
	}
}

// Close closes every listener.
func (t tcpMuxes) Close() error {
	var errs []error
	for _, m := range t {
		errs = append(errs, m.mux.Close())
	}
	return errors.Join(errs...)
}
