package transport

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// behind is a relayed address of our own TURN server as the plane sees it, and what was sent there.
type behind struct {
	plane  *Plane
	at     netip.AddrPort
	detach func()

	mu   sync.Mutex
	sent [][]byte // guarded by mu
}

func newBehind(p *Plane, at netip.AddrPort) *behind {
	b := &behind{plane: p, at: at}
	b.detach = p.Attach(at, func(datagram []byte, from netip.AddrPort) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.sent = append(b.sent, bytes.Clone(datagram))
	})
	return b
}

// deliver brings a datagram from there.
func (b *behind) deliver(datagram []byte) { b.plane.Deliver(datagram, b.at, b.plane.udp()) }

// received is how many datagrams of media and how many answers to checks were sent there.
func (b *behind) received() (media, answers int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.sent {
		if isMedia(d) {
			media++
		} else if stunClass(d) == stunSuccess {
			answers++
		}
	}
	return media, answers
}

// What the network brings from a relayed address does not come from there: it is no check, no handshake and no media. What the
// relay delivers is.
func TestNothingOfTheNetworkComesFromARelay(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	forger := stranger(t) // at the very address of the relay
	relay := newBehind(p, canonical(addrPort(forger.LocalAddr())))
	defer relay.detach()
	relay.deliver(g.own())
	eventually(t, "the client has proved to be behind the relay", func() bool { return p.mux.at(relay.at) != nil })
	before := p.refusals()
	for i := range 10 {
		sendFrom(t, forger, g.own(), p.udp())
		sendFrom(t, forger, hello, p.udp())
		sendFrom(t, forger, g.seal(t, 7, int64(i), []byte("payload")), p.udp())
	}
	eventually(t, "the forger is a stranger", func() bool { return p.refusals().strange == before.strange+30 })
	if _, answers := relay.received(); answers != 1 {
		t.Errorf("%d checks were answered, want 1", answers)
	}
	relay.deliver(g.seal(t, 7, 100, []byte("payload")))
	eventually(t, "media from the relay goes up", func() bool { return g.heard() == 1 })
	p.Deliver(g.seal(t, 7, 101, []byte("payload")), relay.at, netip.MustParseAddrPort("192.0.2.1:1")) // for no address of ours
	p.Deliver(g.seal(t, 7, 102, []byte("payload")), netip.MustParseAddrPort("192.0.2.1:1"), p.udp())  // from no relay of ours
	if n := p.refusals().strange - before.strange; n != 32 || g.heard() != 1 {
		t.Errorf("%d datagrams are strangers', %d went up", n, g.heard())
	}
}

// A path over a relay ends with it: nothing goes to whoever has the address next, neither through the plane nor to a socket.
func TestAPathEndsWithItsRelay(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	next := stranger(t)
	relay := newBehind(p, canonical(addrPort(next.LocalAddr())))
	g.peer.shadow.path.Store(&path{addr: relay.at, relayed: p.relays.at(relay.at)})
	send := func(n int64) {
		b := p.Batch()
		b.Add(g.peer, outgoing(9, n, []byte("secret")))
		p.Recycle(b)
	}
	send(1)
	if media, _ := relay.received(); media != 1 {
		t.Fatalf("%d packets were relayed, want 1", media)
	}
	relay.detach()
	another := newBehind(p, relay.at)
	defer another.detach()
	send(2)
	for _, b := range []*behind{relay, another} {
		if media, _ := b.received(); media != map[*behind]int{relay: 1}[b] {
			t.Errorf("%d packets were relayed", media)
		}
	}
	silent(t, next, g.own(), p)
}

// silent demands that no media comes to a socket, which is asked behind it for an answer.
func silent(t *testing.T, conn *net.UDPConn, check []byte, p *Plane) {
	t.Helper()
	other := stranger(t) // of the same worker or not: what was sent before has been sent by now
	if media := answered(t, other, check, p.udp()); media > 0 {
		t.Errorf("%d packets of media at a stranger", media)
	}
	b := make([]byte, 2048)
	for {
		if err := conn.SetReadDeadline(now()); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		if isMedia(b[:n]) {
			t.Error("media went to the next owner's socket")
		}
	}
}
