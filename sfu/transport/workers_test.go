package transport

import (
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// twoProcessors gives the process at least two, so that an address has two workers.
func twoProcessors(t *testing.T) {
	t.Helper()
	n := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(max(n, 2))
	t.Cleanup(func() { runtime.GOMAXPROCS(n) })
}

// another is one more address of the client, which it has proved to be at.
func (g *guest) another(t *testing.T) *net.UDPConn {
	t.Helper()
	conn := stranger(t)
	answered(t, conn, g.own(), g.plane.udp())
	eventually(t, "the address is the client's", func() bool { return g.plane.mux.at(canonical(addrPort(conn.LocalAddr()))) != nil })
	return conn
}

// A client's packets come from two addresses to two workers. They are handed up by one at a time, those of each address in order;
// what one worker cannot hand up waits for the other, and only what is too much of it is lost.
func TestTwoWorkersHandUpOneAtATime(t *testing.T) {
	twoProcessors(t)
	p := fastPlane(t, nil)
	sink := &ear{t: t, hold: make(chan struct{})}
	g := admit(t, p, guestOptions{sink: sink})
	s := g.peer.shadow
	var sockets []*net.UDPConn
	for range 16 { // the kernel deals them out
		sockets = append(sockets, g.another(t))
	}
	g.send(t, g.seal(t, 1, 0, nil))
	eventually(t, "a worker is busy", func() bool { return sink.held.Load() == 1 })
	const most = 20
	for n := range int64(most) {
		for i, conn := range sockets {
			sendFrom(t, conn, g.seal(t, uint32(100+i), n, nil), p.udp())
		}
	}
	waiting := func() int {
		s.queueing.Lock()
		defer s.queueing.Unlock()
		return len(s.waiting)
	}
	eventually(t, "another worker's packets wait", func() bool { return waiting() == maxWaiting })
	eventually(t, "and what is too much is dropped", func() bool { return (p.counts.early.Load()+maxWaiting)%most == 0 })
	close(sink.hold)
	eventually(t, "all others go up", func() bool { return sink.heard() == 1+16*most-int(p.counts.early.Load()) })
	if p.counts.early.Load() == 0 {
		t.Error("nothing was too much")
	}
	last := map[uint32]int{}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	for _, b := range sink.packets {
		ssrc, sequence := uint32(b[11]), int(b[3])
		if n, ok := last[ssrc]; ok && sequence <= n {
			t.Errorf("of source %d, %d comes after %d", ssrc, sequence, n)
		}
		last[ssrc] = sequence
	}
}

// Two workers at full speed lose nothing as long as what waits has room, and never enter the sink at once.
func TestTwoWorkersLoseNothingWithinTheBound(t *testing.T) {
	twoProcessors(t)
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	var sockets []*net.UDPConn
	for range 8 {
		sockets = append(sockets, g.another(t))
	}
	sent := 0
	for n := range int64(300) {
		for i, conn := range sockets { // fewer at a time than may wait
			sendFrom(t, conn, g.seal(t, uint32(100+i), n, nil), p.udp())
			sent++
		}
		if n%(maxWaiting/8) == 0 {
			eventually(t, "all go up", func() bool { return g.heard() == sent })
		}
	}
	eventually(t, "all go up", func() bool { return g.heard() == sent })
	last := map[uint32]int{}
	for _, b := range g.packets {
		ssrc, sequence := uint32(b[11]), int(b[2])<<8|int(b[3])
		if sequence != last[ssrc] {
			t.Fatalf("of source %d, %d comes where %d should", ssrc, sequence, last[ssrc])
		}
		last[ssrc]++
	}
}

// A client and then the plane end while workers are busy with the client's packets. Nothing goes up after that.
func TestCloseWhileBusy(t *testing.T) {
	twoProcessors(t)
	for range 5 {
		p := fastPlane(t, nil) // it is closed when the test ends
		g := admit(t, p, guestOptions{})
		done, stop := make(chan struct{}), make(chan struct{})
		go func() { // until stop
			defer close(done)
			for n := int64(0); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				b := g.seal(t, 7, n, nil)
				g.send(t, b)
				out := p.Batch()
				out.Add(g.peer, outgoing(9, n, b))
				p.Recycle(out)
			}
		}()
		eventually(t, "packets go up", func() bool { return g.heard() > 20 })
		g.peer.Close()
		eventually(t, "its address is nobody's", func() bool { return p.mux.at(canonical(addrPort(g.wire.local))) == nil })
		up := g.heard()
		before := p.counts.strange.Load()
		eventually(t, "its packets are strangers'", func() bool { return p.counts.strange.Load() > before })
		if n := g.heard(); n != up {
			t.Errorf("%d packets went up afterwards", n-up)
		}
		if g.peer.shadow.path.Load() != nil {
			t.Error("there is still a path")
		}
		close(stop)
		<-done
	}
}

// However much somebody sends in a client's name, the answers to our own checks, by which a connection lives, get through.
func TestAnswersToOurChecksPassAnyFlood(t *testing.T) {
	in := newInsider(t, &ear{t: t})
	conn := get(t, in.plane.mux.peer(in.peer), "ufrag", in.plane.local[0])
	ours := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
	if _, err := conn.WriteToAddrPort(ours, in.from); err != nil {
		t.Fatal(err)
	}
	at, flood := time.Now(), request("ufrag:x")
	messages := make([]datagram.Message, 100)
	for i := range messages {
		messages[i] = datagram.Message{Data: flood, From: in.from}
	}
	for range 4 * sourceBurst / len(messages) {
		in.handle(at, messages)
		for got(conn) > 0 {
			if _, _, err := conn.ReadFromAddrPort(make([]byte, maxQueued)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if in.plane.refused.Load() < sourceBurst {
		t.Fatal("the flood is let in")
	}
	answer := slices.Clone(ours)
	answer[0], answer[1] = stunSuccess>>8, stunSuccess&0xff
	in.handle(at, []datagram.Message{{Data: answer, From: in.from}})
	if got(conn) != 1 {
		t.Error("the answer is refused")
	}
	in.handle(at, []datagram.Message{{Data: answer, From: in.from}})
	if got(conn) != 1 {
		t.Error("the answer counts twice")
	}
}
