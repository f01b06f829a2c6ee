package sfu

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/red"
	"github.com/parleyrtc/parley/sfu/transport"
)

// soundEngine has Opus with NACK, and its RED when that has a payload type.
func soundEngine(t *testing.T, opus, redType webrtc.PayloadType) *webrtc.MediaEngine {
	t.Helper()
	m := &webrtc.MediaEngine{}
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: opus, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1;usedtx=1",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}},
	}}, webrtc.RTPCodecTypeAudio))
	if redType != 0 {
		must(t, m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: redType, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: fmt.Sprintf("%d/%d", opus, opus),
		}}, webrtc.RTPCodecTypeAudio))
	}
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 120, RTPCodecCapability: vp8()}, webrtc.RTPCodecTypeVideo))
	return m
}

// The answer to a microphone's m-line and to a slot's keeps NACK, FEC, DTX and RED when they are offered. RED comes first where the
// client sends, so that it sends RED, and stays where it was elsewhere.
func TestWhatMakesSoundRobustIsAnswered(t *testing.T) {
	b := newBench(t, nil)
	for name, tt := range map[string]struct {
		red        webrtc.PayloadType
		microphone string
		slot       string
		want       []string
	}{
		"all of it": {63, "63 111", "111 63", []string{"a=rtcp-fb:111 nack", "useinbandfec=1", "usedtx=1", "a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"}},
		"no RED":    {0, "111", "111", []string{"a=rtcp-fb:111 nack", "useinbandfec=1", "usedtx=1"}},
	} {
		var answer string
		newClient(b, "room", name, clientOptions{open: true, media: soundEngine(t, 111, tt.red), answer: func(sdp string) string {
			answer = sdp
			return sdp
		}})
		sections := strings.Split(answer, "\r\nm=audio")
		for i, section := range sections[1:] {
			formats := tt.slot
			if i == 0 {
				formats = tt.microphone
			}
			for _, want := range append(tt.want, " UDP/TLS/RTP/SAVPF "+formats+"\r\n") {
				if !strings.Contains("m=audio"+section, want) {
					t.Errorf("%s: m-line %d has no %s: %s", name, i, want, section)
				}
			}
		}
		if len(sections) != 3 {
			t.Errorf("%s: %d m-lines of sound", name, len(sections)-1)
		}
	}
}

// listen is somebody who only listens.
func listen(b *bench, id string, opus, redType webrtc.PayloadType, engine func(*webrtc.SettingEngine)) *client {
	return newClient(b, "room", id, clientOptions{open: true, silent: true, engine: engine, media: soundEngine(b.t.(*testing.T), opus, redType)})
}

// say sends one packet of a talker, Opus or RED.
func (h *hall) say(k *talker, payloadType uint8, payload []byte) {
	h.now = h.now.Add(20 * time.Millisecond)
	head := packet.Header{PayloadType: payloadType, Sequence: k.sequence, Timestamp: uint32(k.sequence) * 960, SSRC: k.ssrc}
	k.sequence++
	k.p.Packets(h.now, []transport.Datagram{{Data: append(head.Append(nil), payload...), Arrived: h.now}}, h.out)
	h.out.Flush()
}

// redTalker is somebody who sends Opus as 111 and RED as 63.
func redTalker(b *bench) (*hall, *talker) {
	h := newHall(b, 1)
	k := h.people[0]
	in := &k.p.incoming
	in.mu.Lock()
	in.codecs[111].RED = 63
	in.codecs[63] = transport.Codec{PayloadType: 63, Codec: packet.Opus, Redundant: true}
	in.mu.Unlock()
	return h, k
}

// lose lets a client report that it lost so many of a hundred packets.
func (h *hall) lose(c *client, lost int) {
	p := h.b.participant(c.room, c.id)
	for _, l := range *p.lines.Load() {
		if !l.video {
			for i := range 2 {
				p.RTCP(h.now, []rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{
					{SSRC: l.stream.SSRC, LastSequenceNumber: uint32(100 + 2000*i), TotalLost: uint32(20 * lost * i)}}}}, h.out)
			}
		}
	}
}

// RED goes as it is to who takes it, under the receiver's payload types, and as the frame alone to who does not. Who takes it and
// loses much gets copies of what came without.
func TestCopiesOfSoundFollowTheReceiver(t *testing.T) {
	b := newBench(t, nil)
	h, k := redTalker(b)
	with, without := listen(b, "with", 96, 97, nil), listen(b, "without", 111, 0, nil)
	b.awaitKind(Connected, "with")
	b.awaitKind(Connected, "without")
	frame := func(i int) []byte { return []byte(fmt.Sprintf("frame %d", i)) }
	expect := func(c *client, payloadType uint8, payload []byte) {
		t.Helper()
		if p := c.packet(0, false); p.PayloadType != payloadType || string(p.Payload) != string(payload) {
			t.Fatalf("%s got %d %q, want %d %q", c.id, p.PayloadType, p.Payload, payloadType, payload)
		}
	}
	copies := func(payloadType uint8, of int, distances ...uint32) []byte {
		var list []red.Copy
		for _, d := range distances {
			list = append(list, red.Copy{Offset: d * 960, Frame: frame(of - int(d))})
		}
		return append(red.Append(nil, payloadType, list), frame(of)...)
	}
	h.say(k, 111, frame(0))
	expect(with, 96, frame(0))
	expect(without, 111, frame(0))
	h.say(k, 63, copies(111, 1, 1))
	expect(with, 96, frame(1)) // It loses nothing.
	expect(without, 111, frame(1))

	h.lose(with, 20)
	h.lose(without, 20)
	h.say(k, 111, frame(2)) // The two before it came in different forms.
	expect(with, 97, copies(96, 2, 2, 1))
	expect(without, 111, frame(2))
	h.say(k, 63, copies(111, 3, 1)) // One copy is not enough.
	expect(with, 97, copies(96, 3, 2, 1))
	k.sequence++ // A packet is lost on its way to us.
	h.say(k, 111, frame(5))
	expect(with, 97, copies(96, 5, 2))
	h.say(k, 63, copies(111, 6, 3, 2, 1))
	expect(with, 97, copies(96, 4, 2, 1)) // It is among the copies.
	expect(with, 97, copies(96, 6, 3, 2, 1))
	for _, i := range []int{3, 5, 4, 6} {
		expect(without, 111, frame(i))
	}

	k.sequence += 2 // Two are lost, and one of them is in the next.
	h.say(k, 63, copies(111, 9, 1))
	expect(with, 97, copies(96, 8, 2))
	expect(with, 97, copies(96, 9, 1))
	expect(without, 111, frame(8))
	expect(without, 111, frame(9))
	if n := b.count("parley_restored_total", ""); n != 2 {
		t.Errorf("%v were restored", n)
	}
}

// What looks like RED and is not, such as a payload that is encrypted as a whole, goes to who takes RED, and to nobody else.
func TestUnreadableCopiesArePassedAsTheyAre(t *testing.T) {
	b := newBench(t, nil)
	h, k := redTalker(b)
	with, without := listen(b, "with", 96, 97, nil), listen(b, "without", 111, 0, nil)
	b.awaitKind(Connected, "with")
	b.awaitKind(Connected, "without")
	sealed := []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	h.say(k, 111, []byte("first"))
	h.say(k, 63, sealed)
	h.say(k, 111, []byte("last"))
	for _, want := range []string{"first", string(sealed), "last"} {
		if p := with.packet(0, false); string(p.Payload) != want {
			t.Errorf("%q, want %q", p.Payload, want)
		}
	}
	a, z := without.packet(0, false), without.packet(0, false)
	if string(a.Payload) != "first" || string(z.Payload) != "last" || z.SequenceNumber != a.SequenceNumber+1 {
		t.Errorf("%v, %v", a, z)
	}
}

// Sound that is asked for again comes again as it was, to the bit, while copies come and go with the loss, and the agreement
// changes: there is no RTX for it.
func TestSoundIsRepeatedToTheBit(t *testing.T) {
	b := newBench(t, nil)
	h, k := redTalker(b)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	e := &ear{PacketConn: socket, heard: map[uint64][]byte{}}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: e})
	t.Cleanup(func() { _ = mux.Close() })
	with := listen(b, "with", 96, 97, func(s *webrtc.SettingEngine) { s.SetICEUDPMux(mux) })
	b.awaitKind(Connected, "with")
	stop := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() { askForEverything(with, stop) })
	sizes := map[int]bool{}
	for i := range 300 {
		switch i % 100 {
		case 20, 40, 90:
			h.lose(with, i%100/4) // 5, 10, 22 of a hundred
		case 60:
			h.lose(with, 0)
		case 99:
			must(t, with.offer(false, nil))
		}
		h.say(k, 111, fmt.Appendf(nil, "frame %04d", i))
		sizes[len(with.packet(0, false).Payload)] = true
	}
	eventually(t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.repeated > 20
	})
	close(stop)
	asking.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.different > 0 {
		t.Errorf("of %d packets %d came again as they were, and %d as another one", len(e.heard), e.repeated, e.different)
	}
	if len(sizes) < 2 {
		t.Errorf("there never were copies: %v", sizes)
	}
	must(t, b.Leave(context.Background(), "room", "with", "left"))
}
