package transport

import (
	"net/netip"
	"time"
)

// An agent cannot be told that a client's address has changed, nor can it forget an address. So the mux tells it names: at first
// an address is its own name. A client that moves keeps the name of where it was, and the agent's checks and its DTLS follow it
// without the agent's noticing. And where forged checks have used up what an agent may learn, an address that proves itself takes
// over the name of one that never answered.
//
// The names of one client's addresses differ from each other, and an address without an entry has a name that no other has.

// reliefRate is how many addresses in a second may take over another's name by a check alone, which an honest client needs once.
const reliefRate, reliefBurst = 4, 4

// named is what a client's agent knows an address as.
func (r *remotes) named(p *party, from netip.AddrPort) netip.AddrPort {
	if !p.named.Load() {
		return from
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.at(from); e != nil && e.party == p {
		return e.name
	}
	return p.free(from)
}

// behind is the address that a client's agent knows by a name.
func (r *remotes) behind(p *party, name netip.AddrPort) netip.AddrPort {
	if !p.named.Load() {
		return name
	}
	name = canonical(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range p.addresses {
		if e.name == name {
			return e.addr
		}
	}
	return name
}

// seated notes that the owner's newest agent knows an address, and whether a check of ours was answered from there.
func (r *remotes) seated(o owner, addr netip.AddrPort, answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.at(canonical(addr)); e != nil && e.owner == o {
		e.seat, e.answer = e.party.newest.Load(), e.answer || answered
	}
}

// follow notes that the owner has moved: what the agent knew the old address as is the new one from here on.
func (r *remotes) follow(o owner, old, next netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parties[o]
	if p == nil {
		return
	}
	to := r.enter(p, canonical(next), true)
	if from := r.at(canonical(old)); from != nil && from.party == p {
		p.rename(to, from)
	}
	p.used, to.answer = to, true
}

// relieve lets an address, which has sent an authentic check, take over the name of one that never answered.
func (r *remotes) relieve(now time.Time, p *party, from netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.gone || !p.relieved.take(now, reliefRate, reliefBurst) {
		return
	}
	g := p.newest.Load()
	e := r.enter(p, from, false)
	if e == nil || e.seat == g {
		return
	}
	if least := p.least(g); least != nil && !least.answer {
		p.rename(e, least)
	}
}

// rename has two addresses swap names, with mu held.
func (p *party) rename(a, b *remote) {
	if a != b {
		a.name, b.name = b.name, a.name
		a.seat, b.seat = b.seat, a.seat
		p.named.Store(true)
	}
}

// free is the name of an address without an entry, with mu held: its own, or that of whoever has taken it.
func (p *party) free(a netip.AddrPort) netip.AddrPort {
	for i := 0; i < len(p.addresses); i++ {
		if e := p.addresses[i]; e.name == a {
			a, i = e.addr, -1
		}
	}
	return a
}
