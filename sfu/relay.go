package sfu

import "net/netip"

// Attach makes a relayed address of this process's TURN server known: what the media plane sends there goes to receive, with
// the media address, as candidates carry it, that it is sent from. receive must not block and only borrows b. After detach
// one last datagram may still be on its way. Any goroutine may call either.
func (s *SFU) Attach(relayed netip.AddrPort, receive func(b []byte, from netip.AddrPort)) (detach func()) {
	return s.plane.Attach(relayed, receive)
}

// Deliver takes a datagram that came from a relayed address for one of Addresses. It only borrows b and does not block; any
// goroutine may call it.
func (s *SFU) Deliver(b []byte, from, to netip.AddrPort) { s.plane.Deliver(b, from, to) }
