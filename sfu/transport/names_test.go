package transport

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// called is what the owner's agent knows an address as.
func (r *remotes) called(o owner, a netip.AddrPort) netip.AddrPort { return r.named(r.join(o), a) }

func TestAClientKeepsItsNameWhenItMoves(t *testing.T) {
	r := newRemotes()
	anna := &client{name: "anna"}
	p := r.join(anna)
	r.use(anna, port(1))
	for n := 2; n < 10; n++ {
		r.follow(anna, port(n-1), port(n))
		if got := r.behind(p, port(1)); got != port(n) {
			t.Fatalf("what is for the first address goes to %v, want %v", got, port(n))
		}
		if got := r.called(anna, port(n)); got != port(1) {
			t.Fatalf("what comes from %d comes from %v, want the first address", n, got)
		}
		if got := r.called(anna, port(1)); n > 2 && got == port(1) {
			t.Fatal("two addresses have one name")
		}
	}
	r.follow(anna, port(9), port(1)) // back where it was
	if r.behind(p, port(1)) != port(1) || r.called(anna, port(1)) != port(1) {
		t.Error("it does not have its own name again")
	}
	r.follow(anna, port(1), port(2))
	if _, ok := r.renew(p, &generation{}); !ok || r.behind(p, port(1)) != port(1) || r.called(anna, port(2)) != port(2) {
		t.Error("names outlive an ICE restart")
	}
}

func TestNamesStayDifferent(t *testing.T) {
	r := newRemotes()
	anna, ben := &client{name: "anna"}, &client{name: "ben"}
	p := r.join(anna)
	r.join(ben)
	g := &generation{}
	r.renew(p, g)
	rng := rand.New(rand.NewPCG(1, 2))
	at := time.Now()
	for round := range 20_000 {
		a, b := port(rng.IntN(100)), port(rng.IntN(100))
		at = at.Add(time.Second)
		switch rng.IntN(7) {
		case 0:
			r.learn(anna, a)
		case 1:
			r.use(anna, a)
		case 2:
			r.seated(anna, a, rng.IntN(2) == 0)
		case 3:
			r.follow(anna, a, b)
		case 4:
			r.relieve(at, p, a)
		case 5:
			r.use(ben, a) // takes it
		case 6:
			r.vacate(a)
		}
		names, here := map[netip.AddrPort]bool{}, map[netip.AddrPort]bool{}
		for _, e := range p.addresses {
			names[e.name], here[e.addr] = true, true
			if r.behind(p, e.name) != e.addr {
				t.Fatalf("round %d: %v is known as %v, which leads elsewhere", round, e.addr, e.name)
			}
		}
		if len(names) != len(p.addresses) || len(p.addresses) > maxRemotes {
			t.Fatalf("round %d: %d addresses have %d names", round, len(p.addresses), len(names))
		}
		if !here[a] && names[r.called(anna, a)] {
			t.Fatalf("round %d: an address without an entry has another's name", round)
		}
	}
}

func TestForgedChecksGiveWay(t *testing.T) {
	r := newRemotes()
	anna := &client{name: "anna"}
	p := r.join(anna)
	g := &generation{}
	r.renew(p, g)
	r.use(anna, port(0))
	r.seated(anna, port(0), true)
	for n := 1; n < maxRemotes; n++ {
		r.learn(anna, port(n))
		r.seated(anna, port(n), n == 5) // one has answered
	}
	now := time.Now()
	r.relieve(now, p, port(99))
	if r.whose(port(99)) != owner(anna) || r.called(anna, port(99)) != port(1) {
		t.Fatalf("the new address is known as %v, want that of the oldest that has not answered", r.called(anna, port(99)))
	}
	for n := range 200 { // more of them, and again and again
		now = now.Add(time.Second)
		r.relieve(now, p, port(100+n))
	}
	for _, kept := range []int{0, 5} {
		if r.whose(port(kept)) != owner(anna) || r.called(anna, port(kept)) != port(kept) {
			t.Errorf("address %d, which has answered, has given way", kept)
		}
	}
	taken := 0
	for n := range 50 {
		r.relieve(now, p, port(600+n))
		if r.whose(port(600+n)) != nil {
			taken++
		}
	}
	if taken >= reliefBurst {
		t.Errorf("%d addresses took over names at one moment", taken)
	}
}

// Somebody plays a client's checks from so many addresses that its agent takes no more. Then its NAT gives it another port, and
// although nothing but checks comes from there, the agent finds it.
func TestForgedChecksDoNotLockAClientOut(t *testing.T) {
	t.Parallel()
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	index := int64(100)
	g.talk(t, &index, 5)
	for _, yes := g.peer.crowded(); !yes; _, yes = g.peer.crowded() {
		answered(t, stranger(t), g.own(), p.udp())
	}
	refused := stranger(t)
	for range 20 * reliefBurst { // and goes on
		sendFrom(t, refused, g.own(), p.udp())
		sendFrom(t, stranger(t), g.own(), p.udp())
	}
	g.talk(t, &index, 5)
	g.wire.rebind()
	from := g.wire.addr()
	eventually(t, "the path follows", func() bool { return g.way() == from })
	g.talk(t, &index, 5)
	if n := p.Moved(); n > 0 {
		t.Error("media moved the path")
	}
}
