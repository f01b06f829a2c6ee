// Package peers decides which transport addresses a relay may talk to: this cluster's own media addresses, and no other.
//
// An address is allowed when it equals a listed one, in the same family and the same encoding. That leaves nothing to
// decode: ::ffff:127.0.0.1, 64:ff9b::/96, 2002::/16 and their like are other addresses, and refused like all others.
package peers

import (
	"errors"
	"net"
	"net/netip"
)

// ErrAddress says that a listed address cannot be a media address.
var ErrAddress = errors.New("peers: not a usable media address")

// Set is the allow-list. It does not change after New and may be read by anybody.
type Set struct {
	addrs map[netip.Addr]bool
	there map[netip.AddrPort]netip.AddrPort // What clients call it → where it is.
	back  map[netip.AddrPort]*net.UDPAddr   // Where it is → what clients call it.
}

// New returns the set of the given addresses, as clients know them. Aliases says where some of them are really reached from
// here, when a router that does not loop back stands between.
func New(addrs []netip.AddrPort, aliases map[netip.AddrPort]netip.AddrPort) (*Set, error) {
	s := &Set{
		addrs: make(map[netip.Addr]bool),
		there: make(map[netip.AddrPort]netip.AddrPort),
		back:  make(map[netip.AddrPort]*net.UDPAddr),
	}
	for _, a := range addrs {
		local, ok := aliases[a]
		if !ok {
			local = a
		}
		if !usable(a) || !usable(local) || a.Addr().Is4() != local.Addr().Is4() {
			return nil, ErrAddress
		}
		s.addrs[a.Addr()] = true
		s.there[a] = local
		s.back[local] = net.UDPAddrFromAddrPort(a)
	}
	return s, nil
}

func usable(a netip.AddrPort) bool {
	ip := a.Addr()
	return a.IsValid() && a.Port() != 0 && !ip.IsUnspecified() && !ip.IsMulticast() && !ip.Is4In6() && ip.Zone() == ""
}

// Host says whether any media port is at ip: what a TURN permission, which has no port, may be given for.
func (s *Set) Host(ip netip.Addr) bool { return s.addrs[ip] }

// Allowed says whether a is a media address.
func (s *Set) Allowed(a netip.AddrPort) bool { return s.there[a].IsValid() }

// Outbound is where a packet for a goes; not ok: it must not go anywhere.
func (s *Set) Outbound(a netip.AddrPort) (to netip.AddrPort, ok bool) {
	to, ok = s.there[a]
	return to, ok
}

// Inbound is the name under which clients know the sender of a packet, nil when it must not come in. The address is shared:
// do not change it.
func (s *Set) Inbound(from netip.AddrPort) *net.UDPAddr { return s.back[from] }
