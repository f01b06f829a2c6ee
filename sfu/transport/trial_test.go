package transport

import (
	"bytes"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"
)

// addr is where the client's packets come from now.
func (w *wire) addr() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn.LocalAddr().String()
}

// way is where the client's packets go.
func (g *guest) way() string { return g.peer.shadow.path.Load().addr.String() }

// up has the client send one packet.
func (g *guest) up(t testing.TB, index int64, payload []byte) {
	t.Helper()
	before := g.heard()
	g.send(t, g.seal(t, 7, index, payload))
	eventually(t, "the packet goes up", func() bool { return g.heard() == before+1 })
}

// down sends the client one packet.
func (g *guest) down(t testing.TB, index int64, payload []byte) {
	t.Helper()
	b := g.plane.Batch()
	if !b.Add(g.peer, outgoing(9, index, payload)) {
		t.Fatal("a packet is refused")
	}
	g.plane.Recycle(b)
}

// reply keeps back or lets through the client's answers to checks, and keeps its own checks back in either case.
func (g *guest) reply(yes bool) {
	g.wire.filter(func(b []byte) bool { return yes && stunClass(b) == stunSuccess || len(b) > 0 && b[0] >= 20 })
}

// A NAT gives the client another port. Its first packet from there, of media or reports, brings the media back at once, before it
// has proved to be there, and then for good, though the client itself checks nothing; DTLS and consent follow.
func TestMediaMovesAPathAtOnce(t *testing.T) {
	p := fastPlane(t, func(c *Config) { c.Disconnected = 3 * time.Second })
	g := admit(t, p, guestOptions{})
	index := int64(100)
	g.talk(t, &index, 5)
	for round := range 3 {
		g.reply(false)
		g.wire.rebind()
		from := g.wire.addr()
		if round == 1 { // a report is as good; the client has made some before
			sendReport(t, g)
			eventually(t, "the report moves the path", func() bool { return g.peer.shadow.trial.Load() != nil })
		}
		g.talk(t, &index, 1)
		if g.way() == from {
			t.Fatal("the path moved before the client answered")
		}
		g.talk(t, &index, 20)
		g.reply(true)
		eventually(t, "the path moves", func() bool {
			g.talk(t, &index, 1)
			return g.way() == from
		})
		g.talk(t, &index, 20)
		if n := p.Moved(); n != uint64(round+1) {
			t.Errorf("%d moves after %d", n, round+1)
		}
		sendReport(t, g)
		time.Sleep(trialRest)
	}
	g.wire.filter(nil)
	for began := time.Now(); time.Since(began) < 4*time.Second; time.Sleep(20 * time.Millisecond) {
		if g.peer.State() != Connected {
			t.Fatal("the agent does not know where the client is")
		}
	}
	if n := p.refusals(); n != (refusals{}) || p.Unsent() > 0 || g.peer.Moves() != 1 {
		t.Errorf("%+v, %d unsent, %d moves", n, p.Unsent(), g.peer.Moves())
	}
}

func sendReport(t *testing.T, g *guest) {
	t.Helper()
	plain, err := (&rtcp.ReceiverReport{SSRC: 8}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := g.sealer.SealRTCP(nil, plain)
	if err != nil {
		t.Fatal(err)
	}
	before := len(g.reported())
	g.send(t, sealed)
	eventually(t, "the report goes up", func() bool { return len(g.reported()) == before+1 })
}

func (e *ear) reported() []rtcp.Packet {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.reports)
}

// With the mechanism off, what the client sends from its new address reaches nobody, and it is sent nothing there.
func TestAPathStaysWhereRebindingIsOff(t *testing.T) {
	p := fastPlane(t, func(c *Config) { c.Rebinding = Off })
	g := admit(t, p, guestOptions{})
	index := int64(100)
	g.talk(t, &index, 5)
	g.wire.filter(func([]byte) bool { return false })
	g.wire.rebind()
	g.send(t, g.seal(t, 7, 200, []byte("up")))
	eventually(t, "it is a stranger", func() bool { return p.refusals().strange == 1 })
	g.down(t, 200, []byte("down"))
	if len(g.wire.media) > 0 || g.heard() != 5 || p.Moved() > 0 {
		t.Error("the path moved")
	}
}

// Somebody on the way catches a packet before we have it and sends it from elsewhere: it is authentic and the newest. The client
// loses nothing by it, whoever caught it gets no more than three times as much as they sent, and without an answer to our check it
// is over.
func TestACaughtPacketMovesNothing(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	index := int64(100)
	g.talk(t, &index, 5)
	path, thief := g.peer.shadow.path.Load(), stranger(t)
	for round := range 3 {
		caught := g.seal(t, 7, 200+int64(round), make([]byte, 500))
		before := g.heard()
		sendFrom(t, thief, caught, p.udp())
		eventually(t, "what was caught goes up", func() bool { return g.heard() == before+1 })
		g.send(t, caught) // the client's own, too late
		for range 20 {
			index++
			g.down(t, index, make([]byte, 200))
			if got, _ := g.received(t); got != uint16(index) {
				t.Fatalf("the client received %d, want %d", got, index)
			}
		}
		eventually(t, "the trial ends", func() bool { return g.peer.shadow.trial.Load() == nil })
		time.Sleep(trialRest)
	}
	if g.peer.shadow.path.Load() != path || path.also.Load() != nil || p.Moved() > 0 {
		t.Error("the path moved")
	}
	media, checks, bytes := drainUDP(t, thief)
	if bytes > 3*amplification*600 || media == 0 || checks != 3*probes {
		t.Errorf("the thief got %d packets of media, %d bytes, and %d checks", media, bytes, checks)
	}
}

// drainUDP counts what has come to a socket.
func drainUDP(t *testing.T, conn *net.UDPConn) (media, checks, bytes int) {
	t.Helper()
	b := make([]byte, 2048)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, err := conn.Read(b)
		switch {
		case err != nil:
			return media, checks, bytes
		case isMedia(b[:n]):
			media, bytes = media+1, bytes+n
		case stunClass(b[:n]) == stunRequest:
			checks++
		}
	}
}

// What is played again, is forged, or comes late puts no address on trial and reaches nobody.
func TestOnlyTheNewestAuthenticPacketCounts(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	g.up(t, 100, nil)
	late, played := g.seal(t, 7, 101, nil), g.seal(t, 7, 102, nil)
	g.send(t, played)
	eventually(t, "the packet goes up", func() bool { return g.heard() == 2 })
	thief := stranger(t)
	another := g.seal(t, 55, 1, nil) // authentic, but of a source that nobody has heard of
	for _, b := range [][]byte{late, played, another} {
		sendFrom(t, thief, b, p.udp())
	}
	eventually(t, "they are a stranger's", func() bool { return p.refusals().strange == 3 })
	forged := g.seal(t, 7, 103, nil)
	forged[len(forged)-1]++
	sendFrom(t, thief, forged, p.udp())
	eventually(t, "it is forged", func() bool { return p.refusals().forged == 1 })
	if g.heard() != 2 || g.peer.shadow.trial.Load() != nil || p.mux.at(canonical(addrPort(thief.LocalAddr()))) != nil {
		t.Error("something counted")
	}
	g.up(t, 103, nil)
}

// Keys are tried for a few of the forgeries that carry a client's SSRC, and for none that carry another.
func TestStrangersBurnNoProcessor(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	g.up(t, 100, nil)
	thief := stranger(t)
	forged := g.seal(t, 7, 101, nil)
	forged[len(forged)-1]++
	const floods = 10
	for n := range floods {
		for range strayBurst {
			sendFrom(t, thief, bytes.Clone(forged), p.udp())
			forged[len(forged)-2]++
		}
		eventually(t, "all have been looked at", func() bool {
			r := p.refusals()
			return int(r.forged+r.strange) == (n+1)*strayBurst
		})
	}
	if r := p.refusals(); r.forged < strayBurst || r.forged > floods*strayBurst/2 {
		t.Errorf("%d of %d were tried", r.forged, floods*strayBurst)
	}
	g.up(t, 101, nil)
}

// An answer to the check of a trial must come from the address on trial and have the client's password.
func TestOnlyTheClientAnswersATrial(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	g.up(t, 100, nil)
	path, thief, other := g.peer.shadow.path.Load(), stranger(t), stranger(t)
	sendFrom(t, thief, g.seal(t, 7, 101, nil), p.udp())
	check := &stun.Message{Raw: make([]byte, 2048)}
	_ = thief.SetReadDeadline(time.Now().Add(patience))
	n, err := thief.Read(check.Raw)
	if err != nil {
		t.Fatal(err)
	}
	check.Raw = check.Raw[:n]
	if err := check.Decode(); err != nil {
		t.Fatal(err)
	}
	_, right := icePair(g.offer)
	for _, a := range []struct {
		conn     *net.UDPConn
		password string
	}{{thief, right + "x"}, {other, right}} {
		answer := stun.MustBuild(check, stun.BindingSuccess, stun.NewShortTermIntegrity(a.password), stun.Fingerprint).Raw
		sendFrom(t, a.conn, answer, p.udp())
	}
	sendFrom(t, thief, stun.MustBuild(check, stun.BindingSuccess).Raw, p.udp())
	g.up(t, 102, nil)
	eventually(t, "the trial ends", func() bool { return g.peer.shadow.trial.Load() == nil })
	if g.peer.shadow.path.Load() != path {
		t.Error("the path moved")
	}
}

// Nothing is left of a client that goes in the middle of a trial.
func TestAClientMayGoOnTrial(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	g.up(t, 100, nil)
	sendFrom(t, stranger(t), g.seal(t, 7, 101, nil), p.udp())
	eventually(t, "the trial begins", func() bool { return g.peer.shadow.trial.Load() != nil })
	g.peer.Close()
	eventually(t, "it is over", func() bool { return p.trials.some.Load() == 0 })
	p.familiar.mu.Lock()
	defer p.familiar.mu.Unlock()
	if len(p.familiar.shadows) != 0 {
		t.Errorf("%d sources are still known", len(p.familiar.shadows))
	}
}
