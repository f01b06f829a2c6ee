package transport

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/protect"
)

// Whatever the sizes, the order and the receivers of packets are, everybody gets exactly what was sent to them, in order, with
// trains, without them, and where something on the way cannot cut them. What goes nowhere takes nothing else along.
func TestEverybodyGetsExactlyTheirPackets(t *testing.T) {
	for _, segmentation := range []Switch{On, Off} {
		t.Run(string(segmentation), func(t *testing.T) {
			p := fastPlane(t, func(c *Config) { c.Segmentation = segmentation })
			guests := []*guest{admit(t, p, guestOptions{}), admit(t, p, guestOptions{profile: protect.CM80}), admit(t, p, guestOptions{}), admit(t, p, guestOptions{})}
			guests[2].peer.shadow.path.Load().single.Store(true)
			lost := guests[3]
			lost.peer.shadow.path.Store(&path{addr: netip.MustParseAddrPort("[2001:db8::1]:9")}) // our socket has no IPv6
			rng := rand.New(rand.NewPCG(12, uint64(len(segmentation))))
			index, failed := make([]int64, len(guests)), 0
			payload := make([]byte, 1500)
			for i := range payload {
				payload[i] = byte(rng.Uint32())
			}
			for range 60 {
				b := p.Batch()
				b.Reserve(64)
				want := make([][][]byte, len(guests))
				for n := rng.IntN(64); n > 0; {
					who, size := rng.IntN(len(guests)), rng.IntN(1400)
					for run := 1 + rng.IntN(12); run > 0 && n > 0; run, n = run-1, n-1 { // of one receiver, mostly of one size
						if rng.IntN(4) == 0 {
							size = []int{0, 1, max(size-1, 0), min(size+1, 1400), rng.IntN(1400)}[rng.IntN(5)]
						}
						at := rng.IntN(len(payload) - size + 1)
						o := outgoing(9, index[who], payload[at:at+size])
						if cut := rng.IntN(8); cut <= size && rng.IntN(3) == 0 {
							o.Head, o.Payload = payload[at:at+cut], payload[at+cut:at+size]
						}
						if !b.Add(guests[who].peer, o) {
							t.Fatal("a packet is refused")
						}
						index[who]++
						want[who] = append(want[who], payload[at:at+size])
					}
				}
				failed += b.Flush()
				p.Recycle(b)
				for who, g := range guests {
					for i, w := range want[who] {
						if g == lost {
							continue
						}
						sequence, got := g.received(t)
						if sequence != uint16(index[who]-int64(len(want[who]))+int64(i)) || !bytes.Equal(got, w) {
							t.Fatalf("client %d received %d bytes as number %d, want %d bytes", who, len(got), sequence, len(w))
						}
					}
				}
			}
			for who, g := range guests {
				if n := len(g.wire.media); n > 0 {
					t.Errorf("client %d received %d packets more", who, n)
				}
			}
			if int64(failed) != index[3] || p.Unsent() != uint64(failed) {
				t.Errorf("%d packets failed, %d are counted, %d went nowhere", failed, p.Unsent(), index[3])
			}
		})
	}
}

// An ICE restart loses nothing: media goes on over the last pair until there is another one, however long that takes.
func TestAnICERestartLosesNothing(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	sequence := int64(100)
	g.talk(t, &sequence, 10)
	for round := range 3 {
		path := g.peer.shadow.path.Load()
		g.wire.filter(func(b []byte) bool { return !(len(b) > 0 && b[0] < 4) }) // no check of the new pair gets through
		g.negotiate(t, true, nil)
		g.talk(t, &sequence, 50)
		if g.peer.shadow.path.Load() != path {
			t.Fatal("the path changed without a check")
		}
		g.wire.filter(nil)
		for g.peer.shadow.path.Load() == path {
			g.talk(t, &sequence, 1)
		}
		g.talk(t, &sequence, 50)
		if n := p.refusals(); n != (refusals{}) || p.Unsent() > 0 {
			t.Errorf("round %d: %+v, %d unsent", round, n, p.Unsent())
		}
	}
}

// states is a Sink that notes how a connection is.
type states struct {
	*ear
	peer atomic.Pointer[Peer]
	bad  atomic.Int32
}

// State implements Sink.
func (s *states) State() {
	if p := s.peer.Load(); p != nil && p.State() != Connected {
		s.bad.Add(1)
	}
}

// A connection that carries nothing but media in one direction stays up for longer than ICE waits for anything, though pion sees
// none of it. When the client's agent falls silent, so do we: there is no consent any more (RFC 7675 §5.1).
func TestConsentIsKeptAndEnds(t *testing.T) {
	t.Parallel()
	p := fastPlane(t, func(c *Config) { c.Disconnected, c.Failed = 3*time.Second, time.Second })
	s := &states{ear: &ear{t: t}}
	g := admit(t, p, guestOptions{sink: s})
	s.peer.Store(g.peer)
	eventually(t, "it is connected", func() bool { return g.peer.State() == Connected })
	s.bad.Store(0)
	n := int64(0)
	send := func() bool {
		n++
		b := p.Batch()
		defer p.Recycle(b)
		return b.Add(g.peer, outgoing(9, n, []byte("payload")))
	}
	for began := time.Now(); time.Since(began) < 6*time.Second; time.Sleep(20 * time.Millisecond) {
		if !send() {
			t.Fatal("a packet is refused")
		}
		if sequence, _ := g.received(t); sequence != uint16(n) {
			t.Fatalf("received %d, want %d", sequence, n)
		}
	}
	if s.bad.Load() > 0 {
		t.Error("the connection was not up all the time")
	}
	g.wire.filter(func([]byte) bool { return false })
	up := g.seal(t, 7, 1, nil)
	g.send(t, slices.Clone(up)) // media is no consent: whoever has sent it once may be played by others
	eventually(t, "sending ends", func() bool { return !send() })
	if state := g.peer.State(); state != Failed {
		t.Errorf("the peer is %v", fmt.Sprint(state))
	}
}

// A client that restarts ICE and then never checks again is not sent to for ever over the last pair.
func TestARestartThatFailsEndsSending(t *testing.T) {
	t.Parallel()
	p := fastPlane(t, func(c *Config) { c.Disconnected, c.Failed = 2*time.Second, time.Second })
	g := admit(t, p, guestOptions{})
	sequence := int64(100)
	g.talk(t, &sequence, 5)
	g.wire.filter(func(b []byte) bool { return !(len(b) > 0 && b[0] < 4) })
	g.negotiate(t, true, nil)
	g.talk(t, &sequence, 5)
	n := sequence
	eventually(t, "sending ends", func() bool {
		n++
		b := p.Batch()
		defer p.Recycle(b)
		return !b.Add(g.peer, outgoing(9, n, []byte("payload")))
	})
	g.wire.filter(nil)
	g.negotiate(t, true, nil)
	eventually(t, "another restart brings it back", func() bool { return g.peer.shadow.path.Load() != nil })
	b := p.Batch()
	defer p.Recycle(b)
	if !b.Add(g.peer, outgoing(9, n+1, []byte("payload"))) {
		t.Error("a packet is refused")
	}
}
