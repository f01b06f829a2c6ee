package sfu

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func TestThreeParticipantsShareFourPairs(t *testing.T) {
	b := newBench(t, nil)
	clients := map[string]*client{}
	for _, id := range []string{"alice", "bob", "carol"} {
		clients[id] = newClient(b, "room", id, clientOptions{open: true, pairs: 4})
	}
	for _, c := range clients {
		c.play()
	}
	for id, c := range clients {
		seen := map[string]bool{}
		for pair := range 2 {
			e := b.await("slot", func(e Event) bool { return e.Kind == Slot && e.Participant == id && e.Pair == pair && e.Source != "" })
			if e.Audio != e.Source+".0" || e.Video != e.Source+".1" {
				t.Errorf("pair %d of %s mixes participants: %+v", pair, id, e)
			}
			for _, video := range []bool{false, true} {
				who, _, _ := strings.Cut(sent(c.packet(pair, video), video), "/")
				if who != e.Source {
					t.Errorf("%s hears %s on the pair of %s", id, who, e.Source)
				}
			}
			seen[e.Source] = true
		}
		if len(seen) != 2 || seen[id] {
			t.Errorf("%s receives %v", id, seen)
		}
	}
}

func TestMorePairsAreAskedForAfterTheFirstPicture(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true, pairs: 1})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	carol := newClient(b, "room", "carol", clientOptions{open: true})
	bob.play()
	carol.play()
	if e := b.awaitKind(SlotsNeeded, "alice"); e.Pairs != 4 {
		t.Fatalf("asked for %d pairs, want 4", e.Pairs)
	}
	if who := sent(alice.packet(0, true), true); !strings.HasPrefix(who, "bob/") {
		t.Errorf("pair 0 carries %q", who)
	}
	alice.slots(3)
	must(t, alice.offer(false, nil))
	if who := sent(alice.packet(1, true), true); !strings.HasPrefix(who, "carol/") {
		t.Errorf("pair 1 carries %q", who)
	}
}

// A pair changes hands: the receiver sees one stream without a gap, that begins anew with a keyframe.
func TestSlotChangeIsContinuous(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true, pairs: 1, silent: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	carol := newClient(b, "room", "carol", clientOptions{open: true})
	bob.play()
	carol.play()
	var last *rtp.Packet
	next := func() *rtp.Packet {
		p := alice.packet(0, true)
		if last != nil {
			if p.SequenceNumber != last.SequenceNumber+1 {
				t.Fatalf("sequence %d after %d", p.SequenceNumber, last.SequenceNumber)
			}
			if int32(p.Timestamp-last.Timestamp) <= 0 {
				t.Fatalf("timestamp %d after %d", p.Timestamp, last.Timestamp)
			}
			if p.SSRC != last.SSRC {
				t.Fatalf("SSRC %d after %d", p.SSRC, last.SSRC)
			}
			if picture(p) != (picture(last)+1)&0x7fff {
				t.Fatalf("picture %d after %d", picture(p), picture(last))
			}
		}
		last = p
		return p
	}
	for range 20 {
		next()
	}
	must(t, b.Leave(context.Background(), "room", "bob", "left"))
	deadline := time.Now().Add(patience)
	for {
		p := next()
		if strings.HasPrefix(sent(p, true), "carol/") {
			if p.Payload[4]&1 != 0 {
				t.Error("the new source did not begin with a keyframe")
			}
			e := b.await("slotStarted", func(e Event) bool {
				return e.Kind == SlotStarted && e.Participant == "alice" && e.PublicationID == "carol.1"
			})
			if e.RTPTimestamp != p.Timestamp {
				t.Errorf("slotStarted says %d, the first packet %d", e.RTPTimestamp, p.Timestamp)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("carol never came")
		}
	}
	for range 20 {
		next()
	}
}

func picture(p *rtp.Packet) uint16 { return uint16(p.Payload[2]&0x7f)<<8 | uint16(p.Payload[3]) }

func TestMuteIsTold(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	first := b.awaitKind(Publications, "alice")
	if len(first.Publications) != 2 || first.Publications[1] != (PublicationInfo{ID: "alice.1", MID: "1", Kind: "video", Source: "camera"}) {
		t.Fatalf("published %+v", first.Publications)
	}
	muted := func(id string, want bool) {
		t.Helper()
		b.await("publications", func(e Event) bool {
			for _, p := range e.Publications {
				if e.Kind == Publications && p.ID == id && p.Muted == want {
					return true
				}
			}
			return false
		})
	}
	must(t, b.Mute(context.Background(), "room", "alice", "alice.0", true))
	muted("alice.0", true)
	alice.offered.Publications[0].Muted = true
	alice.offered.Publications[1].Muted = true
	must(t, alice.offer(false, nil))
	muted("alice.1", true)
	if err := b.Mute(context.Background(), "room", "alice", "alice.7", true); err == nil || err.(*Error).Code != CodePublicationNotFound {
		t.Errorf("mute of an unknown publication: %v", err)
	}
}

func TestScreenGetsAPairOfItsOwn(t *testing.T) {
	b := newBench(t, nil)
	bob := newClient(b, "room", "bob", clientOptions{open: true, pairs: 4, silent: true})
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	alice.play()
	bob.packet(0, true)
	alice.share()
	e := b.await("slot", func(e Event) bool { return e.Kind == Slot && e.Participant == "bob" && e.Video == "alice.5" })
	if e.Pair == 0 {
		t.Error("the screen took the camera's pair")
	}
	bob.packet(e.Pair, true)
}

// In a call of two, with one pair, a screen waits for the second: the other's sound and picture go on where they are.
func TestAScreenDoesNotInterruptACallOfTwo(t *testing.T) {
	b := newBench(t, nil)
	bob := newClient(b, "room", "bob", clientOptions{open: true, pairs: 1, silent: true})
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	alice.play()
	bob.packet(0, true)
	alice.share()
	if e := b.awaitKind(SlotsNeeded, "bob"); e.Pairs != 4 {
		t.Fatalf("%d pairs", e.Pairs)
	}
	bob.slots(3)
	must(t, bob.offer(false, nil))
	e := b.await("slot", func(e Event) bool { return e.Kind == Slot && e.Participant == "bob" && e.Video == "alice.5" })
	bob.packet(e.Pair, true)
	for _, e := range b.all() {
		if e.Kind == Slot && e.Participant == "bob" && e.Pair == 0 && e.Video != "alice.1" {
			t.Errorf("pair 0: %+v", e)
		}
	}
}

// share publishes a screen and negotiates it as m-line 5.
func (c *client) share() {
	c.t.Helper()
	screen, err := webrtc.NewTrackLocalStaticRTP(vp8(), "screen", "screen")
	must(c.t, err)
	tr, err := c.pc.AddTransceiverFromTrack(screen, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	must(c.t, err)
	c.watch(tr.Sender())
	c.offered.Publications = append(c.offered.Publications, OfferedPublication{MID: "5", Source: "screen"})
	must(c.t, c.offer(false, nil))
	c.writers.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-c.stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			_ = screen.WriteRTP(c.picture(n))
		}
	})
}

// A keyframe that somebody asks for is asked of the publisher, and not more often than configured.
func TestKeyframeRequestsAreCoalesced(t *testing.T) {
	b := newBench(t, func(c *Config) { c.KeyframeSpacing = 300 * time.Millisecond })
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true})
	alice.play()
	p := bob.packet(0, true)
	before := time.Now()
	for range 50 {
		must(t, bob.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: p.SSRC}}))
	}
	requests := 0
	timeout := time.After(patience)
	for b.count("parley_pli_total", "in") < 50 || requests == 0 {
		select {
		case p := <-alice.rtcp:
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				requests++
			}
		case <-time.After(10 * time.Millisecond):
		case <-timeout:
			t.Fatalf("%d requests arrived", requests)
		}
	}
	if most := 2 + int(time.Since(before)/(300*time.Millisecond)); requests > most {
		t.Errorf("%d requests reached the publisher, want at most %d", requests, most)
	}
}

// Somebody who cannot decode what is sent makes everybody switch.
func TestUndecodableCodecIsTold(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true, codec: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeVP9, ClockRate: 90000, SDPFmtpLine: "profile-id=0"}})
	only := &webrtc.MediaEngine{}
	must(t, only.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: vp8(), PayloadType: 96}, webrtc.RTPCodecTypeVideo))
	must(t, only.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, PayloadType: 111}, webrtc.RTPCodecTypeAudio))
	newClient(b, "room", "bob", clientOptions{open: true, silent: true, media: only})
	alice.play()
	if e := b.await("codec", func(e Event) bool { return e.Kind == Codec }); e.VideoCodec != "VP8" {
		t.Errorf("told to switch to %q", e.VideoCodec)
	}
}

// The subscriber is sent H.264 as the payload type of the publisher's profile, not as the first one it names.
func TestH264KeepsItsProfile(t *testing.T) {
	const baseline, high = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"
	engine := func(formats ...string) *webrtc.MediaEngine {
		m := &webrtc.MediaEngine{}
		must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, PayloadType: 111}, webrtc.RTPCodecTypeAudio))
		must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: vp8(), PayloadType: 96}, webrtc.RTPCodecTypeVideo))
		for i, f := range formats {
			must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: f}, PayloadType: webrtc.PayloadType(100 + i)}, webrtc.RTPCodecTypeVideo))
		}
		return m
	}
	b := newBench(t, nil)
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, media: engine(high, baseline)})
	newClient(b, "room", "carol", clientOptions{open: true, silent: true, media: engine()})
	alice := newClient(b, "room", "alice", clientOptions{open: true, media: engine(baseline), codec: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: baseline}})
	alice.writers.Go(func() {
		for n := uint16(0); ; n++ {
			select {
			case <-alice.stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			_ = alice.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: n, Timestamp: uint32(n) * 900},
				Payload: []byte{0x65, 0x88, 0x84, 0x00}})
		}
	})
	if p := bob.packet(0, true); p.PayloadType != 101 {
		t.Errorf("payload type %d", p.PayloadType)
	}
	// Carol has no H.264 at all, so that alice is told to use what everybody has.
	if e := b.await("codec", func(e Event) bool { return e.Kind == Codec }); e.VideoCodec != "VP8" {
		t.Errorf("told to switch to %q", e.VideoCodec)
	}
}

// The m-lines of two pairs change places and back: what an m-line sends never counts from anew, as that would encrypt
// different packets under one number.
func TestASlotThatComesBackGoesOnCounting(t *testing.T) {
	b := newBench(t, nil)
	bob := newClient(b, "room", "bob", clientOptions{open: true, pairs: 2, silent: true})
	alice := newClient(b, "room", "alice", clientOptions{})
	alice.play()
	mid := bob.offered.Slots[0].VideoMID
	last := bob.packet(0, true)
	for _, arrange := range []func([]OfferedSlot) []OfferedSlot{
		func(s []OfferedSlot) []OfferedSlot {
			return []OfferedSlot{{0, s[1].AudioMID, s[1].VideoMID}, {1, s[0].AudioMID, s[0].VideoMID}}
		},
		nil,
	} {
		bob.arrange = arrange
		must(t, bob.offer(false, nil))
		drain(bob)
		p := bob.packet(0, true)
		if bob.offered.Slots[0].VideoMID != mid {
			continue
		}
		if ahead := p.SequenceNumber - last.SequenceNumber; ahead == 0 || ahead > 5000 {
			t.Errorf("number %d after %d", p.SequenceNumber, last.SequenceNumber)
		}
		last = p
	}
}
