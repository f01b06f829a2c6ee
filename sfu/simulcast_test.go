package sfu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// onBothPaths runs a story on either media path.
func onBothPaths(t *testing.T, story func(t *testing.T, b *bench)) {
	for _, path := range []transport.Path{transport.FastPath, transport.PionPath} {
		t.Run(string(path), func(t *testing.T) {
			if path == transport.FastPath {
				onlyFast(t)
			}
			story(t, newBench(t, func(c *Config) { c.MediaPath = path }))
		})
	}
}

// A publication in three encodings is one stream to whoever receives it: the best that is wanted, and another one only from a
// keyframe on. Numbers and pictures go on, and times are
// those of the sound.
func TestAReceiverSeesOneStreamThroughChangesOfSize(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		s := newStudio(t, b, "room", "alice", "q", "h", "f")
		v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
		s.run()
		v.until("f")
		for range 40 { // reports come meanwhile
			v.next()
		}
		var tick uint32
		_, _ = fmt.Sscanf(string(v.last.Payload[7:]), "f/%d/", &tick)
		v.line = v.last.Timestamp - 900*tick
		for _, step := range []struct {
			encoding uint8
			rid      string
		}{{0, "q"}, {2, "f"}, {1, "h"}, {0, "q"}, {1, "h"}, {2, "f"}} {
			v.want(layer.Layer{Encoding: step.encoding, Spatial: layer.All, Temporal: layer.All}, false)
			v.until(step.rid)
			for range 40 {
				v.next()
			}
			if v.rid != step.rid {
				t.Fatalf("%s comes instead of %s", v.rid, step.rid)
			}
		}
		for _, shot := range s.shots {
			if n := shot.asked.Load(); n == 0 || n > 12 {
				t.Errorf("%d keyframes of %s were asked for", n, shot.rid)
			}
		}
	})
}

// A publisher stops its largest encoding, as a browser does when its processor or its link cannot carry it, and starts it again.
func TestAnEncodingThatStopsIsReplacedUntilItComesBack(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		s := newStudio(t, b, "room", "alice", "q", "h", "f")
		v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
		s.run()
		v.until("f")
		for range 2 {
			s.shots[2].off.Store(true)
			v.until("h")
			s.shots[1].off.Store(true)
			v.until("q")
			s.shots[1].off.Store(false)
			v.until("h")
			s.shots[2].off.Store(false)
			v.until("f")
		}
	})
}

// What is lost of an encoding on its way to us is asked for by its own source, comes by the repair stream that names it, and
// reaches whoever looks at it. What nobody looks at is not asked for.
func TestEachEncodingIsRepairedByItself(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		s := newStudio(t, b, "room", "alice", "q", "h", "f")
		s.lossy = true
		bob := newClient(b, "room", "bob", clientOptions{silent: true})
		v := &viewer{c: bob}
		s.run()
		bob.packet(0, true)
		for _, step := range []struct {
			encoding uint8
			rid      string
		}{{2, "f"}, {0, "q"}} {
			v.want(layer.Layer{Encoding: step.encoding, Spatial: layer.All, Temporal: layer.All}, false)
			bob.whole(step.rid, 100)
		}
	})
}

// whole looks on until so many packets of one encoding have come without a gap.
func (c *client) whole(rid string, packets int) {
	c.t.Helper()
	seen := map[uint16]bool{}
	for range 3000 {
		p := c.packet(0, true)
		if got, _, _ := strings.Cut(string(p.Payload[7:]), "/"); got != rid {
			continue
		}
		seen[p.SequenceNumber] = true
		run := 0
		for n := p.SequenceNumber; seen[n]; n-- {
			run++
		}
		if run >= packets {
			return
		}
	}
	c.t.Fatalf("%s never comes whole", rid)
}

// The upper temporal layer of VP8 is left out at once and comes back at a sync point. Numbers, pictures and their bases have no
// gap (RFC 7741 §4.2).
func TestTemporalLayersOfVP8ComeAndGo(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		s := newStudio(t, b, "room", "alice", "q", "f")
		s.layers = true
		v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
		s.run()
		v.until("f")
		asked := s.shots[1].asked.Load()
		for range 3 {
			for want := range byte(2) {
				v.want(layer.Layer{Encoding: layer.All, Spatial: layer.All, Temporal: want}, false)
				for run, n := 0, 0; run < 30; n++ {
					if _, temporal := v.next(); temporal <= want && (want == 0 || temporal == 1 || run > 0) {
						run++
					} else {
						run = 0
					}
					if n > 500 {
						t.Fatalf("layer %d never comes", want)
					}
				}
			}
		}
		if again := s.shots[1].asked.Load(); again > asked+1 { // one may have been under way
			t.Errorf("%d keyframes were asked for", again-asked)
		}
	})
}

// A paused video takes no numbers, and begins with a keyframe when it is wanted again.
func TestAPausedVideoGoesOnWithAKeyframe(t *testing.T) {
	b := newBench(t, nil)
	s := newStudio(t, b, "room", "alice", "q", "f")
	v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
	s.run()
	v.until("f")
	l := (*b.participant("room", "bob").lines.Load())[v.last.SSRC]
	v.want(everything, false) // and the budget has nothing to say
	highest := func(pause bool) int64 {
		l.to.sending.Lock()
		defer l.to.sending.Unlock()
		if pause {
			l.current().pause()
		}
		n, _ := l.numbers.Highest()
		return n
	}
	before := highest(true)
	asked := s.shots[1].asked.Load()
	for until := s.clock.Load() + 30; s.clock.Load() < until; {
		time.Sleep(time.Millisecond)
	}
	if after := highest(false); after != before {
		t.Errorf("%d packets were sent", after-before)
	}
	if n := s.shots[1].asked.Load() - asked; n > 1 { // one may have been under way
		t.Errorf("%d keyframes were asked for", n)
	}
	for v.last.SequenceNumber != uint16(before) {
		v.next()
	}
	v.last.Marker = true // it may have stopped in the middle of a picture
	v.want(everything, false)
	if v.next(); v.last.Payload[6]&1 != 0 {
		t.Error("it goes on without a keyframe")
	}
	v.until("f")
}

// What there is to choose from is measured, layer by layer, and what is not sent any more is not offered.
func TestTheLayersOfAPublicationAreMeasured(t *testing.T) {
	b := newBench(t, nil)
	s := newStudio(t, b, "room", "alice", "q", "h", "f")
	s.layers = true
	v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
	s.run()
	v.until("f")
	pub := b.participant("room", "bob").pairs[0].video.current().publication
	want := func(layers ...layer.Layer) {
		t.Helper()
		eventually(t, func() bool {
			all := slices.DeleteFunc(pub.options(time.Now(), nil), func(m measure) bool { return m.Rate == 0 })
			for i, m := range all {
				if i >= len(layers) || m.Layer != layers[i] || m.Rate < 1 || i > 0 && m.Encoding == all[i-1].Encoding && m.Rate < all[i-1].Rate {
					return false
				}
			}
			return len(all) == len(layers)
		})
	}
	want(layer.Layer{}, layer.Layer{Temporal: 1}, layer.Layer{Encoding: 1}, layer.Layer{Encoding: 1, Temporal: 1}, layer.Layer{Encoding: 2}, layer.Layer{Encoding: 2, Temporal: 1})
	s.shots[2].off.Store(true)
	want(layer.Layer{}, layer.Layer{Temporal: 1}, layer.Layer{Encoding: 1}, layer.Layer{Encoding: 1, Temporal: 1})
}

// The dependency descriptor travels from a publisher to a receiver that has agreed to it, with a structure that needs the longer
// form of header extensions, and to no other.
func TestADescriptorReachesWhoGoesByIt(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		alice := newClient(b, "room", "alice", clientOptions{open: true, media: simulcastMedia(t),
			codec: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeAV1, ClockRate: 90000}})
		bob := newClient(b, "room", "bob", clientOptions{silent: true, media: simulcastMedia(t)})
		carol := newClient(b, "room", "carol", clientOptions{silent: true})
		b.awaitKind(Connected, "alice")
		b.awaitKind(Connected, "bob")
		b.awaitKind(Connected, "carol")
		sender := alice.pc.GetSenders()[1].GetParameters()
		e := &svc{kind: l2t2, id: descriptorID(sender.HeaderExtensions), pt: byte(sender.Codecs[0].PayloadType), ssrc: uint32(sender.Encodings[0].SSRC),
			rng: rand.New(rand.NewPCG(1, 1))}
		if e.id == 0 {
			t.Fatal("no dependency descriptor was agreed on")
		}
		out := <-alice.stream
		alice.writers.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-alice.stop:
					return
				case <-tick.C:
				}
				for _, raw := range e.picture(n%20 == 0) {
					var p rtp.Packet
					if p.Unmarshal(raw) == nil {
						_, _ = out.WriteRTP(&p.Header, p.Payload)
					}
				}
			}
		})
		var reader packet.DependencyReader
		id := descriptorID(bob.pc.GetReceivers()[1].GetParameters().HeaderExtensions)
		for range 200 {
			var d packet.Dependency
			p := bob.packet(0, true)
			if raw := p.GetExtension(id); !reader.Read(raw, &d) {
				t.Fatalf("the descriptor % x cannot be read", raw)
			}
			if p := carol.packet(0, true); p.Extension && len(p.GetExtensionIDs()) > 1 {
				t.Fatalf("somebody without it gets extensions %v", p.GetExtensionIDs())
			}
		}
	})
}

// descriptorID is what the dependency descriptor is called; 0 when it is not.
func descriptorID(extensions []webrtc.RTPHeaderExtensionParameter) uint8 {
	for _, e := range extensions {
		if e.URI == packet.URIDependencyDescriptor {
			return uint8(e.ID)
		}
	}
	return 0
}
