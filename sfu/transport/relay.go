package transport

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// relays are the relayed addresses of our own TURN server, in this process. What is for one of them takes no trip through the
// kernel.
type relays struct {
	some atomic.Int32 // how many there are: mostly none, and then nobody takes the lock

	mu sync.RWMutex
	to map[netip.AddrPort]*relayed // guarded by mu
}

// relayed is one relayed address, from Attach to its end. A path holds on to this and not to the address, which may be
// somebody else's later.
type relayed struct {
	receive func(b []byte, from netip.AddrPort)
	gone    atomic.Bool

	mu   sync.Mutex
	rate bucket // guarded by mu
}

// allow says whether one more datagram may come from there.
func (r *relayed) allow(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rate.take(now, sourceRate, sourceBurst)
}

// send hands over what one of our addresses sends.
func (r *relayed) send(b []byte, from netip.AddrPort) {
	if !r.gone.Load() {
		r.receive(b, from)
	}
}

// at returns what is behind an address, nil when it is not relayed.
func (r *relays) at(a netip.AddrPort) *relayed {
	if r.some.Load() == 0 {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.to[canonical(a)]
}

// has says that an address is a relayed one. What claims to come from it over the network does not.
func (r *relays) has(a netip.AddrPort) bool { return r.at(a) != nil }

// Attach makes a relayed address of our own TURN server known: what the plane sends there goes to receive, with the media
// address that it comes from, as candidates carry it. receive must not block and only borrows b. After detach, which may be called from anywhere and
// waits for nothing, one last datagram may still be on its way.
func (p *Plane) Attach(address netip.AddrPort, receive func(b []byte, from netip.AddrPort)) (detach func()) {
	r, at := &relayed{receive: receive}, canonical(address)
	p.relays.mu.Lock()
	defer p.relays.mu.Unlock()
	if p.relays.to == nil {
		p.relays.to = map[netip.AddrPort]*relayed{}
	}
	p.relays.to[at] = r
	p.relays.some.Store(int32(len(p.relays.to)))
	return func() {
		r.gone.Store(true)
		p.relays.mu.Lock()
		defer p.relays.mu.Unlock()
		if p.relays.to[at] == r {
			delete(p.relays.to, at)
			p.relays.some.Store(int32(len(p.relays.to)))
			p.mux.vacate(at)
		}
	}
}

// Deliver takes a datagram that came from a relayed address for one of our media addresses, as candidates carry them; any other is dropped. It never
// blocks and only borrows b.
func (p *Plane) Deliver(b []byte, from, to netip.AddrPort) {
	local := slices.Index(p.names, canonical(to))
	r := p.relays.at(from)
	switch {
	case local < 0 || r == nil || len(b) == 0 || len(b) > maxDatagram:
		p.counts.strange.Add(1)
	case !r.allow(time.Now()):
		p.refused.Add(1)
	case !p.fast:
		p.mux.any(local, from, b)
	case !isMedia(b):
		p.mux.control(local, from, b)
	default:
		if r := p.mux.at(canonical(from)); r == nil {
			p.counts.strange.Add(1)
		} else {
			p.lend(r.owner.(*Peer), b)
		}
	}
}

// lend handles one datagram of media that came on a way that has no worker.
func (p *Plane) lend(peer *Peer, b []byte) {
	now, out := time.Now(), p.Batch()
	out.lent = append(out.lent[:0], b...) // it is opened in place
	out.single[0] = arrival{at: now, data: out.lent}
	peer.shadow.take(now, out.single[:], out)
	p.Recycle(out)
}
