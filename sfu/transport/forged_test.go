package transport

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// check is a binding request of ICE (RFC 8445 §7.2.2) that asks for its pair to be used.
func check(to, from, password string) []byte {
	return stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(to+":"+from),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x7e, 0xff, 0xff, 0xff}},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: bytes.Repeat([]byte{0xff}, 8)},
		stun.NewShortTermIntegrity(password), stun.Fingerprint).Raw
}

// own is a check that this client's agent could send.
func (g *guest) own() []byte {
	theirs, password := icePair(g.answer)
	ours, _ := icePair(g.offer)
	return check(theirs, ours, password)
}

// answered sends a good check from a socket and waits for the answer: what it sent before has been looked at by then. It returns
// how many datagrams of media came.
func answered(t testing.TB, conn *net.UDPConn, good []byte, to netip.AddrPort) (media int) {
	t.Helper()
	sendFrom(t, conn, good, to)
	b := make([]byte, 2048)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	for {
		n, err := conn.Read(b)
		switch {
		case err != nil:
			t.Fatalf("no answer: %v", err)
		case isMedia(b[:n]):
			media++
		case stunClass(b[:n]) == stunSuccess && bytes.Equal(b[8:stunHeader], good[8:stunHeader]):
			return media
		}
	}
}

// talk has the client and the plane send each other so many packets, in turn. All must arrive, the plane's at the client's own socket.
func (g *guest) talk(t testing.TB, from *int64, packets int) {
	t.Helper()
	for range packets {
		*from++
		up := g.heard()
		g.send(t, g.seal(t, 7, *from, []byte("up")))
		eventually(t, "the packet goes up", func() bool { return g.heard() == up+1 })
		b := g.plane.Batch()
		if !b.Add(g.peer, outgoing(9, *from, []byte("down"))) {
			t.Fatal("a packet is refused")
		}
		g.plane.Recycle(b)
		if sequence, _ := g.received(t); sequence != uint16(*from) {
			t.Fatalf("received %d, want %d", sequence, uint16(*from))
		}
	}
}

// authentic are the checks that the client's agent has sent.
func (g *guest) authentic() [][]byte {
	g.wire.mu.Lock()
	defer g.wire.mu.Unlock()
	return append([][]byte(nil), g.wire.checks...)
}

// Checks from elsewhere never move a client's media: not with a wrong password, not as copies of the client's own, and not
// another participant's with the client's address on them.
func TestForgedChecksMoveNothing(t *testing.T) {
	p := fastPlane(t, nil)
	g, mallory := admit(t, p, guestOptions{}), admit(t, p, guestOptions{})
	sequence := int64(100)
	g.talk(t, &sequence, 5)
	path, attacker := g.peer.shadow.path.Load(), stranger(t)
	media := 0
	theirs, password := icePair(g.answer)
	ours, _ := icePair(g.offer)
	for range 10 {
		sendFrom(t, attacker, check(theirs, ours, password+"x"), p.udp())
		sendFrom(t, attacker, check(theirs, "somebody", password), p.udp())
	}
	copies := g.authentic()
	for _, c := range copies {
		media += answered(t, attacker, c, p.udp())
	}
	g.talk(t, &sequence, 5)
	for range 10 { // the source is forged: both are of one address of this machine
		g.send(t, mallory.own())
		g.talk(t, &sequence, 2)
	}
	for _, c := range copies {
		media += answered(t, attacker, c, p.udp())
	}
	if now := g.peer.shadow.path.Load(); now != path || canonical(now.addr) != canonical(addrPort(g.wire.local)) {
		t.Errorf("the path moved from %v to %v", path.addr, now.addr)
	}
	if media > 0 {
		t.Errorf("%d packets of media went to the attacker", media)
	}
	if n := mallory.heard(); n > 0 {
		t.Errorf("%d packets went up as mallory's", n)
	}
	if p.mux.at(canonical(addrPort(g.wire.local))).owner != owner(g.peer) {
		t.Error("the client's address is somebody else's")
	}
}

// A client is silent, as on a bad network, while somebody plays its checks from elsewhere: there is no proof that it is there.
// Then its NAT gives it another port, and its media follows.
func TestAPathMovesOnlyToWhereTheClientAnswers(t *testing.T) {
	t.Parallel()
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	sequence := int64(100)
	g.talk(t, &sequence, 5)
	path, attacker := g.peer.shadow.path.Load(), stranger(t)
	g.wire.filter(func([]byte) bool { return false })
	silent := time.Now()
	for time.Since(silent) < roamAfter+500*time.Millisecond {
		if media := answered(t, attacker, g.own(), p.udp()); media > 0 {
			t.Fatal("media goes to the attacker")
		}
		if g.peer.shadow.path.Load() != path {
			t.Fatal("the path moved")
		}
		time.Sleep(50 * time.Millisecond)
	}
	g.talk(t, &sequence, 5) // its media comes from the same address as before
	g.wire.rebind()
	g.wire.filter(nil)
	eventually(t, "the path follows", func() bool { return g.peer.shadow.path.Load() != path })
	g.talk(t, &sequence, 5)
	if now := g.peer.shadow.path.Load().addr; canonical(now) == canonical(addrPort(g.wire.local)) {
		t.Errorf("it leads to %v, which is nobody's", now)
	}
}
