package turn

import (
	"errors"
	"net"
	"net/netip"

	"github.com/parleyrtc/parley/turn/ports"
)

// way is how a relayed address reaches the media addresses: a socket, or direct.
type way interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	// Close is called once.
	Close() error
}

// openWay gives a relayed address of a family its port and its way to the media addresses.
func (s *Server) openWay(at Relay) (way, error) {
	place, err := s.openSocket(at.Bind)
	switch {
	case err != nil:
		return nil, err
	case s.cfg.Media == nil:
		return place, nil
	}
	_ = place.SetReadBuffer(0) // The least there is, because nobody reads it.
	return newDirect(s.cfg.Media, s.metrics, netip.AddrPortFrom(at.Advertise, place.port), place), nil
}

// socket is a bound port.
type socket struct {
	*net.UDPConn
	port     uint16
	giveBack func()
}

// Close implements way.
func (s *socket) Close() error {
	err := s.UDPConn.Close()
	s.giveBack()
	return err
}

var errNoRelayPort = errors.New("turn: no free relay port")

// portTries is how many ports that somebody else has are passed over before a range counts as full.
const portTries = 128

// openSocket binds the port that has rested longest.
func (s *Server) openSocket(bind netip.Addr) (*socket, error) {
	network := "udp6"
	if bind.Is4() {
		network = "udp4"
	}
	for range portTries {
		port, ok := s.takePort(bind.Is4())
		if !ok {
			break
		}
		giveBack := func() { s.returnPort(bind.Is4(), port) }
		conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(bind, port)))
		if err == nil {
			return &socket{conn, port, giveBack}, nil
		}
		giveBack()
	}
	return nil, errNoRelayPort
}

func (s *Server) takePort(v4 bool) (port uint16, ok bool) {
	s.portsMu.Lock()
	defer s.portsMu.Unlock()
	return s.ports[v4].Take()
}

func (s *Server) returnPort(v4 bool, port uint16) {
	s.portsMu.Lock()
	defer s.portsMu.Unlock()
	s.ports[v4].Return(port)
}

// The ports without a range of the operator's (RFC 8656 §7.2).
const dynamicMin, dynamicMax = 49152, 65535

// relayPorts are the ports of each family's relayed addresses. A media port is none of them: where a router translates, it
// need not be bound at the address that relays bind, and no client must be called what we are called.
func relayPorts(c *Config) map[bool]*ports.Ports {
	low, high := c.RelayPortMin, c.RelayPortMax
	if low == 0 {
		low, high = dynamicMin, dynamicMax
	}
	media := map[uint16]bool{}
	for _, p := range c.Peers {
		media[p.Port()] = true
		media[c.PeerAliases[p].Port()] = true
	}
	all := map[bool]*ports.Ports{}
	for _, r := range c.Relays {
		all[r.Bind.Is4()] = ports.New(low, high, func(port uint16) bool { return media[port] })
	}
	return all
}
