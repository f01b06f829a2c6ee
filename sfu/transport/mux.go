package transport

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
)

// How many datagrams may wait for one client's agent. Where pion carries the media as well, they are those of one burst.
const (
	controlPlaces = 64
	mediaPlaces   = 512
)

// owner is a client as the mux sees it. Owners are compared: they must be pointers.
type owner interface {
	// fromTCP takes an RTP or RTCP packet that came over TCP; b is lent.
	fromTCP(b []byte)
	// crowded says that the client's agent takes no further address; password is what authenticates checks to it, empty as long
	// as it is not known.
	crowded() (password string, yes bool)
}

// mux brings the STUN and DTLS of all clients, who share the media sockets, to their ICE agents. It owns no socket and runs no
// goroutine: whoever reads a socket hands it what is not media. Every client has a queue of fixed length.
//
// A check finds its agent by the user name fragment in it, an answer to a check of ours by its transaction, everything else by
// the address that it comes from. All methods may be called from any goroutine.
type mux struct {
	*remotes
	local  []netip.AddrPort
	write  func(local int, b []byte, to netip.AddrPort) error
	places int
	checks transactions

	mu     sync.RWMutex
	ufrags map[string]*generation // guarded by mu

	strange atomic.Uint64 // datagrams that were nobody's
	full    atomic.Uint64 // datagrams that found their queue full, or were too long for it
}

// generation is what one client's agent has between two restarts of ICE.
type generation struct {
	ufrag string
	party *party
	conns []atomic.Pointer[muxConn] // by index of the local address
}

// newMux makes a mux for the local addresses, as candidates are to carry them. places is how many datagrams may wait for one
// client at one address; write sends one.
func newMux(local []netip.AddrPort, places int, write func(local int, b []byte, to netip.AddrPort) error) *mux {
	return &mux{remotes: newRemotes(), local: local, places: places, write: write, ufrags: map[string]*generation{}}
}

// index returns which local address a candidate of ours has.
func (m *mux) index(candidate netip.AddrPort) (int, bool) {
	for i, l := range m.local {
		if canonical(l) == canonical(candidate) {
			return i, true
		}
	}
	return 0, false
}

// peer returns the mux as one client's agent sees it. forget must follow, after the agent has been closed.
func (m *mux) peer(o owner) ice.UDPMux { return &muxFace{m, m.join(o)} }

// forget removes a client, with all that still belongs to it.
func (m *mux) forget(o owner) {
	m.mu.Lock()
	g := m.remotes.forget(o)
	if g != nil && m.ufrags[g.ufrag] == g {
		delete(m.ufrags, g.ufrag)
	}
	m.mu.Unlock()
	g.close()
}

// control hands a copy of a datagram, STUN or DTLS by its first byte (RFC 7983 §7), to the agent that it is for. It neither
// blocks nor allocates. False says that it is neither, nobody's, or one too many.
//
// Whoever reads a socket asks intake.admit first, of an intake of its own, whose buckets then need no lock: where several
// sockets share a port, the kernel keeps a client's address at one of them. Only what one customer's many ports may send in
// checks is then allowed to them once for each socket.
func (m *mux) control(local int, from netip.AddrPort, b []byte) bool {
	if len(b) == 0 {
		return false
	}
	from = canonical(from)
	switch first := b[0]; {
	case first < 4:
		return m.deliver(m.stun(local, from, b), from, b)
	case first >= 20 && first < 64:
		return m.deliver(m.heard(local, from), from, b)
	}
	return false
}

// any is control that takes media too, for where pion decrypts it.
func (m *mux) any(local int, from netip.AddrPort, b []byte) bool {
	if len(b) > 0 && isMedia(b) {
		from = canonical(from)
		return m.deliver(m.heard(local, from), from, b)
	}
	return m.control(local, from, b)
}

func (m *mux) deliver(c *muxConn, from netip.AddrPort, b []byte) bool {
	if c == nil {
		m.strange.Add(1)
		return false
	}
	if c.ring.put(m.named(c.party, from), b) {
		return true
	}
	if c.ring.isClosed() {
		m.strange.Add(1)
	} else {
		m.full.Add(1)
	}
	return false
}

// heard returns the conn of whom an address belongs to.
func (m *mux) heard(local int, from netip.AddrPort) *muxConn {
	if e := m.at(from); e != nil {
		return e.party.newest.Load().at(local)
	}
	return nil
}

func (m *mux) stun(local int, from netip.AddrPort, b []byte) *muxConn {
	switch stunClass(b) {
	case stunRequest:
		m.mu.RLock()
		g := m.ufrags[string(username(b))]
		m.mu.RUnlock()
		if g != nil {
			m.makeRoom(g, from, b)
		}
		return g.at(local)
	case stunSuccess:
		if c := m.checks.answered(b); c != nil && c.local == local {
			return c
		}
	case stunIndication:
		return m.heard(local, from)
	}
	return nil
}

// makeRoom lets a check from a further address through to an agent that would refuse it, if it is authentic.
func (m *mux) makeRoom(g *generation, from netip.AddrPort, b []byte) {
	if e := m.at(from); e != nil && e.party == g.party {
		return
	}
	if password, yes := g.party.owner.crowded(); yes && authentic(b, password) {
		m.relieve(time.Now(), g.party, from)
	}
}

// at returns the conn at a local address, nil when there is none.
func (g *generation) at(local int) *muxConn {
	if g == nil || local < 0 || local >= len(g.conns) {
		return nil
	}
	return g.conns[local].Load()
}

// close closes the conns.
func (g *generation) close() {
	if g == nil {
		return
	}
	for i := range g.conns {
		if c := g.conns[i].Load(); c != nil {
			_ = c.Close() // it never fails
		}
	}
}
