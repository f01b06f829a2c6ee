package datagram

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// name is an address as the kernel has it: sockaddr_in or sockaddr_in6.
type name [unix.SizeofSockaddrInet6]byte

// put writes an address and returns its length. A mapped IPv4 address is written as IPv4, which IPv6 sockets take as well.
func (n *name) put(to netip.AddrPort) uint32 {
	binary.BigEndian.PutUint16(n[2:], to.Port())
	if ip := to.Addr().Unmap(); ip.Is4() {
		binary.NativeEndian.PutUint16(n[:], unix.AF_INET)
		a := ip.As4()
		copy(n[4:8], a[:])
		return unix.SizeofSockaddrInet4
	}
	binary.NativeEndian.PutUint16(n[:], unix.AF_INET6)
	a := to.Addr().As16()
	clear(n[4:8])
	copy(n[8:24], a[:])
	clear(n[24:])
	return unix.SizeofSockaddrInet6
}

// get reads an address.
func (n *name) get() netip.AddrPort {
	port := binary.BigEndian.Uint16(n[2:])
	if binary.NativeEndian.Uint16(n[:]) == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[4:8])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(n[8:24])).Unmap(), port)
}
