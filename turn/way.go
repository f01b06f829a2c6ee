package turn

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"

	"github.com/parleyrtc/parley/turn/ports"
)

var errNoRelayPort = errors.New("turn: no free relay port")

// openWay gives a relayed address of a family its way to the media addresses.
func (s *Server) openWay(at Relay) (way, error) {
	low, high := s.cfg.RelayPortMin, s.cfg.RelayPortMax
	if s.cfg.Media == nil {
		return openSocket(at.Bind, low, high)
	}
	v4 := at.Bind.Is4()
	s.portsMu.Lock()
	port, ok := s.ports[v4].Take()
	s.portsMu.Unlock()
	if !ok {
		return nil, errNoRelayPort
	}
	return openDirect(s.cfg.Media, s.metrics, netip.AddrPortFrom(at.Advertise, port), func() {
		s.portsMu.Lock()
		defer s.portsMu.Unlock()
		s.ports[v4].Return(port)
	}), nil
}

// The ports without a range of the operator's (RFC 8656 §7.2).
const dynamicMin, dynamicMax = 49152, 65535

// relayPorts are the ports of each family's relayed addresses that need no socket. A media port is none of them, so that no
// client is called what we are called.
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

// portTries is how many taken ports are passed over before a range counts as full.
const portTries = 128

// openSocket binds a relay socket within the range, starting anywhere in it.
func openSocket(bind netip.Addr, low, high uint16) (way, error) {
	network := "udp6"
	if bind.Is4() {
		network = "udp4"
	}
	if low == 0 {
		return listenUDP(network, bind, 0)
	}
	size := int(high) - int(low) + 1
	start := rand.IntN(size)
	for i := range min(size, portTries) {
		if conn, err := listenUDP(network, bind, low+uint16((start+i)%size)); err == nil {
			return conn, nil
		}
	}
	return nil, errNoRelayPort
}

// listenUDP binds one port.
func listenUDP(network string, bind netip.Addr, port uint16) (way, error) {
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(bind, port)))
	if err != nil {
		return nil, err // Not a way that holds nil.
	}
	return conn, nil
}
