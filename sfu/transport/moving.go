package transport

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

// moving counts the networks that a client has been reached over, for whoever estimates what its network carries.
type moving struct {
	moves atomic.Uint32

	mu   sync.Mutex
	last place // guarded by mu
}

// place is what of a pair in use stands for a network. The client's port does not: a NAT that gives another one is mostly the
// same way.
type place struct {
	local, remote string
	protocol      webrtc.ICEProtocol
}

// chosen notes which pair is in use, and where the client of it is.
func (m *moving) chosen(pair *webrtc.ICECandidatePair, at netip.AddrPort) {
	m.take(place{pair.Local.Address, at.Addr().String(), pair.Remote.Protocol})
}

// follow notes that the client of the pair in use is at another address.
func (m *moving) follow(at netip.AddrPort) {
	m.mu.Lock()
	to := m.last
	m.mu.Unlock()
	to.remote = at.Addr().String()
	m.take(to)
}

func (m *moving) take(at place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at != m.last {
		m.last = at
		m.moves.Add(1)
	}
}

// Moves counts how often the client came to be reached over another network, the first time included.
func (p *Peer) Moves() uint32 { return p.moving.moves.Load() }
