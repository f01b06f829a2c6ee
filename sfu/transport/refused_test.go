package transport

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/protect"
)

// refusals are the counters of media that was not handed up.
type refusals struct{ strange, malformed, forged, repeated, sources, early, refused uint64 }

func (p *Plane) refusals() refusals {
	c := &p.counts
	return refusals{c.strange.Load(), c.malformed.Load(), c.forged.Load(), c.repeated.Load(), c.sources.Load(), c.early.Load(), p.refused.Load()}
}

// Whatever is wrong with a packet of media, it is dropped and counted, each fault by its own counter and once.
func TestRefusedMediaIsCounted(t *testing.T) {
	for _, profile := range []protect.Profile{protect.GCM128, protect.CM80} {
		t.Run(profile.String(), func(t *testing.T) {
			p := fastPlane(t, nil)
			g := admit(t, p, guestOptions{profile: profile})
			other := admit(t, p, guestOptions{profile: profile})
			away := stranger(t)
			sequence := int64(0)
			next := func() []byte {
				sequence++
				return g.seal(t, 7, sequence, []byte("payload"))
			}
			report := func(ssrc uint32) []byte {
				plain, err := (&rtcp.PictureLossIndication{SenderSSRC: ssrc, MediaSSRC: 8}).Marshal()
				if err != nil {
					t.Fatal(err)
				}
				b, err := g.sealer.SealRTCP(nil, plain)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			before, up := p.refusals(), 0
			for round := range 5 {
				good, control := next(), report(7)
				again, controlAgain := bytes.Clone(good), bytes.Clone(control)
				g.send(t, good)
				g.send(t, control)
				g.send(t, again)
				g.send(t, controlAgain)
				tag := next()
				tag[len(tag)-1] ^= 1 << round
				g.send(t, tag)
				cipher := next()
				cipher[14] ^= 1
				g.send(t, cipher)
				header := next()
				header[7] ^= 1 // the timestamp is in the clear, and authenticated
				g.send(t, header)
				index := report(7)
				index[9] ^= 1
				g.send(t, index)
				sendFrom(t, away, g.seal(t, 77, sequence, nil), p.udp()) // the right keys, from where nobody has proved to be, and of
				sendFrom(t, away, report(77), p.udp())                   // sources that would not be missed
				other.send(t, next())                                    // from where somebody else has
				g.send(t, next()[:13])
				g.send(t, []byte{0x80})
				g.send(t, []byte{0xbf, 111, 0, 0})
				up++
				want := before
				want.repeated += uint64(2 * (round + 1))
				want.forged += uint64(5 * (round + 1))
				want.strange += uint64(2 * (round + 1))
				want.malformed += uint64(3 * (round + 1))
				// The last of each socket is there when its count is.
				eventually(t, "all is counted", func() bool { got := p.refusals(); return got == want })
			}
			eventually(t, "the good ones go up", func() bool { return g.heard() == up })
			if n := len(g.reports); n != up {
				t.Errorf("%d reports came up, want %d", n, up)
			}
			if n := other.heard(); n > 0 {
				t.Errorf("%d packets went up in another's name", n)
			}
		})
	}
}

// A sequence number that was opened once is not opened again, however old, and whatever came between.
func TestNothingIsPlayedAgain(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	var all [][]byte
	for i := range 3000 { // several windows
		all = append(all, g.seal(t, 7, int64(65000+i), []byte("payload")))
		g.send(t, bytes.Clone(all[i]))
		if i%50 == 49 {
			eventually(t, "they go up", func() bool { return g.heard() == i+1 })
		}
	}
	for i, b := range all {
		g.send(t, bytes.Clone(b))
		if i%50 == 49 {
			eventually(t, "repetitions are dropped", func() bool {
				return p.counts.repeated.Load()+p.counts.forged.Load() == uint64(i+1)
			})
		}
	}
	if n := g.heard(); n != len(all) {
		t.Errorf("%d packets went up, %d were sent", n, len(all))
	}
}

// As many sources as a client can invent leave as much memory as the bound says, and end its media.
func TestAMillionSourcesOfOneClient(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	honest := admit(t, p, guestOptions{})
	forged := g.seal(t, 7, 1, []byte("payload"))
	arrivals := []arrival{{}}
	out := p.Batch()
	defer p.Recycle(out)
	before := heap()
	for i := range uint32(1_000_000) { // with a wrong tag: they prove nothing
		binary.BigEndian.PutUint32(forged[8:], i*2654435761)
		arrivals[0].data = forged
		g.peer.shadow.take(now(), arrivals, out)
	}
	if grown := heap() - before; grown > 200_000 {
		t.Errorf("forged sources left %d bytes", grown)
	}
	if g.peer.flooded.Load() || g.peer.State() == Flooded {
		t.Fatal("somebody else's forgeries end the media of a client")
	}
	for i := range uint32(20_000) { // with the right one
		arrivals[0].data = g.seal(t, i, 1, nil)
		g.peer.shadow.take(now(), arrivals, out)
	}
	if grown := heap() - before; grown > 1_000_000 {
		t.Errorf("sources left %d bytes", grown)
	}
	if g.peer.State() != Flooded {
		t.Error("the client is still served")
	}
	honest.send(t, honest.seal(t, 7, 1, []byte("payload")))
	eventually(t, "another client's media goes on", func() bool { return honest.heard() == 1 })
}

// Whoever writes a client's address on packets of their own, more than any client sends, takes none of the client's away.
func TestForgeriesInAClientsNameLeaveItsMediaAlone(t *testing.T) {
	p := fastPlane(t, nil)
	g := admit(t, p, guestOptions{})
	const rounds, forgeries = 100, 100
	for round := range rounds {
		for i := range forgeries { // of a source that is known, and of others
			b := g.seal(t, 7+uint32(i%2), int64(1000+round*forgeries+i), []byte("forged"))
			b[len(b)-1] ^= 1
			g.send(t, b)
		}
		g.send(t, g.seal(t, 7, int64(round), []byte("payload")))
		eventually(t, "the client's own packet goes up", func() bool { return g.heard() == round+1 })
	}
	if n := p.counts.forged.Load(); n != rounds*forgeries {
		t.Errorf("%d forgeries were counted, want %d", n, rounds*forgeries)
	}
}
