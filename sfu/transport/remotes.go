package transport

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// remotes says whose an address is. Every worker asks for every datagram, without a lock.
//
// An address gets in only with proof: a connectivity check of the client's whose MESSAGE-INTEGRITY was right, or being the
// remote end of the pair in use. What a datagram says of itself never counts.
type remotes struct {
	directory *directory // written to with mu held

	mu      sync.Mutex
	parties map[owner]*party // guarded by mu
}

func newRemotes() *remotes {
	return &remotes{directory: newDirectory(), parties: map[owner]*party{}}
}

// remote is one address of one owner.
type remote struct {
	party *party
	owner owner
	addr  netip.AddrPort
	heard atomic.Uint64 // party.clock when it was learned or proved last

	name   netip.AddrPort // guarded by remotes.mu; see names.go
	seat   *generation    // guarded by remotes.mu; whose agent has a candidate of this name
	answer bool           // guarded by remotes.mu; a check of ours was answered from here
}

// party is one owner.
type party struct {
	owner  owner
	clock  atomic.Uint64              // counts proofs
	newest atomic.Pointer[generation] // who takes what comes from the addresses
	named  atomic.Bool                // an address has another's name

	addresses []*remote // guarded by remotes.mu
	used      *remote   // guarded by remotes.mu
	relieved  bucket    // guarded by remotes.mu
	gone      bool      // guarded by remotes.mu
}

// canonical is the one form of an address that comes in several.
func canonical(a netip.AddrPort) netip.AddrPort {
	if a.Addr().Is4() {
		return a
	}
	ip := a.Addr().Unmap()
	if !ip.IsLinkLocalUnicast() {
		ip = ip.WithZone("")
	}
	return netip.AddrPortFrom(ip, a.Port())
}

// at returns whose an address is, nil when nobody's. The address must be canonical. Any number of goroutines may call it, at
// any time; it takes no lock.
func (r *remotes) at(a netip.AddrPort) *remote { return r.directory.at(a) }

// join makes an owner known, once.
func (r *remotes) join(o owner) *party {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parties[o]
	if p == nil {
		p = &party{owner: o}
		r.parties[o] = p
	}
	return p
}

// learn notes that the owner has proved to be at an address. Between two owners the later proof counts, because browsers reuse
// ports, but not against the pair in use: a participant who forges the source of their own checks could cut off another. They
// would have to answer a check of ours as well to get there, which use then says.
func (r *remotes) learn(o owner, from netip.AddrPort) {
	from = canonical(from)
	if e := r.at(from); e != nil && e.owner == o {
		e.prove()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.parties[o]; p != nil {
		r.enter(p, from, false)
	}
}

// use notes which address the owner is sent to; the zero address says that it is none, as over TCP. It is learned as well.
func (r *remotes) use(o owner, to netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parties[o]
	if p == nil {
		return
	}
	p.used = nil
	if to.IsValid() {
		p.used = r.enter(p, canonical(to), true)
		p.used.answer = true
	}
}

// vacate notes that nobody is at an address any more, so that whoever gets it next is not taken for an intruder.
func (r *remotes) vacate(a netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.at(a); e != nil {
		e.party.drop(e)
		r.directory.remove(a)
	}
}

// renew says who takes from here on what comes from the owner's addresses, and returns who did. False says that the owner has
// been forgotten.
func (r *remotes) renew(p *party, g *generation) (old *generation, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.gone {
		return nil, false
	}
	for _, e := range p.addresses { // the next agent knows none of them yet
		e.name, e.seat = e.addr, nil
	}
	p.named.Store(false)
	return p.newest.Swap(g), true
}

// forget removes an owner and returns who took what came from their addresses. What is learned of them later, by a callback
// that was on its way, is ignored.
func (r *remotes) forget(o owner) *generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parties[o]
	if p == nil {
		return nil
	}
	for _, e := range p.addresses {
		r.directory.remove(e.addr)
	}
	p.addresses, p.used, p.gone = nil, nil, true
	delete(r.parties, o)
	return p.newest.Swap(nil)
}

// enter puts an address in, with mu held. When there are too many, one of the owner's goes, and leaves its name.
func (r *remotes) enter(p *party, a netip.AddrPort, used bool) *remote {
	old := r.at(a)
	switch {
	case old == nil:
	case old.party == p:
		old.prove()
		return old
	case old.party.used == old && !used:
		return nil
	default:
		old.party.drop(old)
	}
	e := &remote{party: p, owner: p.owner, addr: a, name: p.free(a)}
	e.prove()
	if len(p.addresses) >= maxRemotes {
		least := p.least(nil)
		p.rename(e, least)
		p.drop(least)
		r.directory.remove(least.addr)
	}
	p.addresses = append(p.addresses, e)
	r.directory.put(e)
	return e
}

// prove notes another proof.
func (e *remote) prove() {
	e.heard.Store(e.party.clock.Add(1))
}

// drop takes an address off the owner's list.
func (p *party) drop(e *remote) {
	if p.used == e {
		p.used = nil
	}
	p.addresses = slices.DeleteFunc(p.addresses, func(other *remote) bool { return other == e })
}

// least is the address that is most likely nobody's, of those that have a seat with an agent, unless that is nil: checks can be
// copied and their source forged, so one that has answered us goes last, and the one in use never. Among equals it is the one
// that was proved longest ago.
func (p *party) least(seat *generation) *remote {
	var least *remote
	for _, e := range p.addresses {
		switch {
		case e == p.used || seat != nil && e.seat != seat:
		case least == nil || least.answer && !e.answer,
			least.answer == e.answer && e.heard.Load() < least.heard.Load():
			least = e
		}
	}
	return least
}
