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

// crossing is a client with a worker that is busy with its packets, and further addresses of which some have another worker.
type crossing struct {
	*guest
	sockets []*net.UDPConn
}

func newCrossing(t *testing.T, p *Plane) *crossing {
	c := &crossing{guest: admit(t, p, guestOptions{})}
	for range 16 { // the kernel deals them out
		c.sockets = append(c.sockets, c.another(t))
	}
	return c
}

// busy occupies a worker until the returned function is called.
func (c *crossing) busy(t *testing.T, index int64) (release func()) {
	release = c.hold()
	before := c.held.Load()
	c.send(t, c.seal(t, 1, index, nil))
	eventually(t, "a worker is busy", func() bool { return c.held.Load() == before+1 })
	return release
}

func (c *crossing) waiting() (sources []int) {
	s := c.peer.shadow
	s.queueing.Lock()
	defer s.queueing.Unlock()
	for _, a := range s.waiting {
		sources = append(sources, int(a.data[11]))
	}
	return sources
}

// inOrder demands that the packets of each source came up in order.
func (c *crossing) inOrder(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	last := map[byte]int{}
	for _, b := range c.packets {
		ssrc, sequence := b[11], int(b[2])<<8|int(b[3])
		if n, ok := last[ssrc]; ok && sequence <= n {
			t.Errorf("of source %d, %d comes after %d", ssrc, sequence, n)
		}
		last[ssrc] = sequence
	}
}

// A client's packets come from two addresses to two workers. They are handed up by one at a time, those of each address in order;
// what one worker cannot hand up waits, and goes up although nothing comes after it.
func TestTwoWorkersHandUpOneAtATime(t *testing.T) {
	twoProcessors(t)
	c := newCrossing(t, fastPlane(t, nil))
	release := c.busy(t, 0)
	for i, conn := range c.sockets {
		sendFrom(t, conn, c.guest.seal(t, uint32(100+i), 0, nil), c.plane.udp())
	}
	eventually(t, "another worker's packets wait", func() bool { return len(c.waiting()) > 0 })
	across := c.waiting()[0] - 100
	release()
	eventually(t, "all go up", func() bool { return c.heard() == 1+len(c.sockets) })
	release = c.busy(t, 1)
	for n := range int64(10) {
		sendFrom(t, c.sockets[across], c.guest.seal(t, uint32(100+across), 1+n, nil), c.plane.udp())
	}
	eventually(t, "they wait", func() bool { return len(c.waiting()) == 10 })
	release()
	eventually(t, "all go up", func() bool { return c.heard() == 2+len(c.sockets)+10 })
	c.inOrder(t)
	if n := c.plane.refusals(); n != (refusals{}) {
		t.Errorf("%+v", n)
	}
}

// More than may wait is dropped and counted.
func TestWhatWaitsForAWorkerIsBounded(t *testing.T) {
	twoProcessors(t)
	c := newCrossing(t, fastPlane(t, nil))
	release := c.busy(t, 0)
	const each = 20
	for n := range int64(each) {
		for i, conn := range c.sockets {
			sendFrom(t, conn, c.guest.seal(t, uint32(100+i), n, nil), c.plane.udp())
		}
	}
	eventually(t, "no more waits", func() bool { return len(c.waiting()) == maxWaiting })
	// The others are in the socket of the busy worker.
	eventually(t, "the rest is dropped", func() bool { return (c.plane.counts.early.Load()+maxWaiting)%each == 0 })
	release()
	eventually(t, "all others go up", func() bool { return c.heard() == 1+each*len(c.sockets)-int(c.plane.counts.early.Load()) })
	c.inOrder(t)
	if c.plane.counts.early.Load() == 0 {
		t.Error("nothing was too much")
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
		g.peer.shadow.receiving.Lock() // what was on its way is through
		up := g.heard()
		g.peer.shadow.receiving.Unlock()
		eventually(t, "its address is nobody's", func() bool { return p.mux.at(canonical(addrPort(g.wire.local))) == nil })
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
