package transport

import (
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

// chosen notes which pair is in use.
func (m *moving) chosen(pair *webrtc.ICECandidatePair) {
	at := place{pair.Local.Address, pair.Remote.Address, pair.Remote.Protocol}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at != m.last {
		m.last = at
		m.moves.Add(1)
	}
}

// Moves counts how often the client came to be reached over another network, the first time included.
func (p *Peer) Moves() uint32 { return p.moving.moves.Load() }
