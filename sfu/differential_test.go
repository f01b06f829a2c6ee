package sfu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/transport"
)

// A script is what a publisher sends: the same whatever carries it.
type script struct {
	c     *client
	rng   *rand.Rand
	out   webrtc.TrackLocalWriter // any source and payload type
	ssrc  [2]uint32               // of audio and video
	rtx   uint32
	epoch int
	audio uint16 // number of the next packet
	video uint16
	fixes uint16 // of RTX
	frame int
	t     testing.TB
}

func newScript(t testing.TB, c *client, seed uint64) *script {
	t.Helper()
	s := &script{c: c, t: t, rng: rand.New(rand.NewPCG(seed, 9)), out: <-c.stream, audio: 65500, video: 65400, fixes: 65530}
	for i, sender := range c.pc.GetSenders() {
		e := sender.GetParameters().Encodings[0]
		s.ssrc[i] = uint32(e.SSRC)
		if i == 1 {
			s.rtx = uint32(e.RTX.SSRC)
		}
	}
	if s.rtx == 0 {
		t.Fatal("no RTX was agreed on")
	}
	return s
}

func (s *script) write(h rtp.Header, payload []byte) {
	s.t.Helper()
	h.Version = 2
	if _, err := s.out.WriteRTP(&h, payload); err != nil {
		s.t.Fatal(err)
	}
}

// sound sends one packet of audio and waits until a client has it: all before it has been forwarded then.
func (s *script) sound(to *heard) {
	s.t.Helper()
	name := fmt.Sprintf("%s/%d/%d", s.c.id, s.epoch, s.audio)
	s.write(rtp.Header{PayloadType: 111, SSRC: s.ssrc[0], SequenceNumber: s.audio, Timestamp: uint32(s.frame) * 960, Marker: s.audio%16 == 0}, []byte(name))
	s.audio++
	to.until(name)
}

// picture sends the packets of one frame as a bad network would bring them.
func (s *script) picture(key bool) {
	s.t.Helper()
	s.frame++
	type sent struct {
		h       rtp.Header
		payload []byte
	}
	var frame []sent
	for i, n := 0, 1+s.rng.IntN(12); i < n; i++ {
		start := byte(1)
		if i == 0 && key {
			start = 0
		}
		first := byte(0x80) // the descriptor has an extension
		if i == 0 {
			first |= 0x10
		}
		pid := uint16(s.frame*3) & 0x7fff
		payload := append([]byte{first, 0x80, 0x80 | byte(pid>>8), byte(pid), start}, fmt.Sprintf("%s/%d/%d/%d/", s.c.id, s.epoch, s.frame, i)...)
		payload = append(payload, strings.Repeat("x", 20*s.rng.IntN(50)+i/4)...)
		frame = append(frame, sent{rtp.Header{PayloadType: 96, SSRC: s.ssrc[1], SequenceNumber: s.video, Timestamp: uint32(s.frame) * 3000, Marker: i == n-1}, payload})
		s.video++
	}
	var repairs []sent
	for i := 0; i < len(frame); i++ {
		switch s.rng.IntN(14) {
		case 0: // lost for good
			frame = append(frame[:i], frame[i+1:]...)
		case 1: // lost, and repaired behind the frame, by RTX or as it was
			repairs = append(repairs, frame[i])
			frame = append(frame[:i], frame[i+1:]...)
		case 2:
			if i+1 < len(frame) {
				frame[i], frame[i+1] = frame[i+1], frame[i]
			}
		case 3: // twice
			frame = append(frame[:i+1], frame[i:]...)
			i++
		}
	}
	for _, p := range frame {
		s.write(p.h, p.payload)
	}
	for _, p := range repairs {
		if s.rng.IntN(3) == 0 {
			s.write(p.h, p.payload)
			continue
		}
		s.write(rtp.Header{PayloadType: 97, SSRC: s.rtx, SequenceNumber: s.fixes, Timestamp: p.h.Timestamp, Marker: p.h.Marker},
			append(binary.BigEndian.AppendUint16(nil, p.h.SequenceNumber), p.payload...))
		s.fixes++
	}
	if s.rng.IntN(4) == 0 { // padding alone, which only fills the line
		s.write(rtp.Header{PayloadType: 96, SSRC: s.ssrc[1], SequenceNumber: s.video, Timestamp: uint32(s.frame) * 3000, Padding: true, PaddingSize: 100}, nil)
		s.video++
	}
}

// heard takes what has come on the lines of pair 0, up to a sound.
type heard struct {
	t     testing.TB
	c     *client
	lines [2][]*rtp.Packet // of audio and video
}

// until waits for a sound, which must be the next.
func (h *heard) until(name string) {
	h.t.Helper()
	p := h.c.packet(0, false)
	h.lines[0] = append(h.lines[0], p)
	if got := string(p.Payload); got != name {
		h.t.Fatalf("%q came instead of %q", got, name)
	}
}

// pictures waits for the packet of a picture that has this in it, and keeps all until there.
func (h *heard) pictures(name string) {
	h.t.Helper()
	for {
		p := h.c.packet(0, true)
		h.lines[1] = append(h.lines[1], p)
		if strings.Contains(string(p.Payload), name) {
			return
		}
	}
}

// told is what a decoder makes of it: numbers count from the first packet of the line, times from the first of each sender.
func (h *heard) told() (all []string) {
	for video, packets := range h.lines {
		began := map[string]uint32{}
		for _, p := range packets {
			payload := string(p.Payload)
			number := p.SequenceNumber - packets[0].SequenceNumber
			shown := uint16(0)
			if video == 1 {
				shown = (picture(p) - picture(packets[0])) & 0x7fff
				payload = payload[:2] + payload[4:] // without the number of the picture
			}
			words := strings.SplitN(payload, "/", 3)
			who := words[0] + words[1]
			if _, ok := began[who]; !ok {
				began[who] = p.Timestamp
			}
			all = append(all, fmt.Sprintf("%d: %d type %d time %d marker %v picture %d: %q", video, number, p.PayloadType, p.Timestamp-began[who], p.Marker, shown, payload))
		}
	}
	return all
}

// perform plays the same to the same people over one path, and returns what one of them was told.
func perform(t *testing.T, path transport.Path, seed uint64) []string {
	t.Helper()
	b := newBench(t, func(c *Config) { c.MediaPath = path })
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, pairs: 1})
	b.awaitKind(Connected, "bob")
	h := &heard{t: t, c: bob}
	for _, id := range []string{"alice", "carol"} {
		c := newClient(b, "room", id, clientOptions{open: true, transient: true})
		b.awaitKind(Connected, id)
		<-c.opened // its SRTP is ready, too
		eventually(t, func() bool { return b.participant("room", "bob").live.Load() })
		s := newScript(t, c, seed)
		for s.epoch = range 3 {
			if s.epoch > 0 {
				s.restart(b)
			}
			s.play(h)
		}
		must(t, b.Leave(context.Background(), "room", id, "left"))
		c.close()
	}
	return h.told()
}

// restart takes other sources, after a silence.
func (s *script) restart(b *bench) {
	for i := range s.ssrc {
		s.ssrc[i] += 100
	}
	s.audio, s.video = uint16(s.rng.Uint32()), uint16(s.rng.Uint32())
	in := &b.participant("room", s.c.id).incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, pub := range in.publications {
		pub.encodings[0].heard = time.Time{}
	}
}

func (s *script) play(h *heard) {
	s.picture(false) // nobody can begin with this
	for i := range 40 {
		s.sound(h)
		s.picture(i%10 == 0)
	}
	// All that was sent before this is through when this is.
	s.frame++
	name := fmt.Sprintf("%s/%d/end", s.c.id, s.epoch)
	s.write(rtp.Header{PayloadType: 96, SSRC: s.ssrc[1], SequenceNumber: s.video, Timestamp: uint32(s.frame) * 3000, Marker: true},
		append([]byte{0x90, 0x80, 0x80 | byte(s.frame*3>>8), byte(s.frame * 3), 0}, name...))
	s.video++
	h.pictures(name)
}

// onlyFast is for tests of the path that media has to itself.
func onlyFast(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the fast path needs Linux")
	}
}

// The same input over our own path and over pion's leads to the same, packet by packet: sound and pictures with losses, repairs,
// other orders, repetitions and padding, through restarts of the source and a change of the speaker.
func TestBothPathsSayTheSame(t *testing.T) {
	onlyFast(t)
	for seed := range uint64(2) {
		fast, pion := perform(t, transport.FastPath, seed), perform(t, transport.PionPath, seed)
		if len(fast) < 1000 {
			t.Errorf("only %d packets came", len(fast))
		}
		for i := range max(len(fast), len(pion)) {
			switch {
			case i >= len(fast) || i >= len(pion):
				t.Fatalf("seed %d: %d packets over our path, %d over pion's", seed, len(fast), len(pion))
			case fast[i] != pion[i]:
				t.Fatalf("seed %d, packet %d\n over our path: %.200s\nover pion's: %.200s", seed, i, fast[i], pion[i])
			}
		}
	}
}
