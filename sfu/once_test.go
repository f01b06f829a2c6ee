package sfu

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// ear is a client's socket that compares every RTP packet with those that came under the same source and number before. As
// SRTP leaves those two in the clear, it needs no key.
type ear struct {
	net.PacketConn

	mu        sync.Mutex
	heard     map[uint64][]byte
	repeated  int
	different int
}

// ReadFrom listens in.
func (e *ear) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := e.PacketConn.ReadFrom(b)
	if err == nil && n > 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223) {
		e.mu.Lock()
		key := uint64(binary.BigEndian.Uint32(b[8:]))<<16 | uint64(binary.BigEndian.Uint16(b[2:]))
		switch before := e.heard[key]; {
		case before == nil:
			e.heard[key] = bytes.Clone(b[:n])
		case bytes.Equal(before, b[:n]):
			e.repeated++
		default:
			e.different++
		}
		e.mu.Unlock()
	}
	return n, from, err
}

// Slots change hands and places, everything is asked for again, and agreements are renewed: never are two different packets
// sealed under one number of one source, which would give the key away.
func TestOneNumberIsOnePacket(t *testing.T) {
	b := newBench(t, nil)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	e := &ear{PacketConn: socket, heard: map[uint64][]byte{}}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: e})
	t.Cleanup(func() { _ = mux.Close() })
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, pairs: 2, reports: true,
		engine: func(s *webrtc.SettingEngine) { s.SetICEUDPMux(mux) }})
	b.participant("room", "bob").still.Store(true) // or a slow machine would have its pictures paused
	stop := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() { askForEverything(bob, stop) })
	swap := func(s []OfferedSlot) []OfferedSlot {
		return []OfferedSlot{{0, s[1].AudioMID, s[1].VideoMID}, {1, s[0].AudioMID, s[0].VideoMID}}
	}
	for i := range 6 {
		id := "alice" + itoa(i)
		alice := newClient(b, "room", id, clientOptions{transient: true})
		alice.play()
		b.await("picture of "+id, func(e Event) bool { return e.Kind == SlotStarted && e.PublicationID == id+".1" })
		if bob.arrange = nil; i%2 == 0 {
			bob.arrange = swap
		}
		must(t, bob.offer(i == 3, nil))
		for range 60 {
			bob.packet(0, true)
		}
		must(t, b.Leave(context.Background(), "room", id, "left"))
		alice.close()
	}
	close(stop)
	asking.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.different > 0 || e.repeated == 0 || len(e.heard) < 300 {
		t.Errorf("of %d packets %d came again as they were, and %d as another one", len(e.heard), e.repeated, e.different)
	}
}

// The same while sizes and frame rates change all the time, with RTX and where what is repeated must be the identical packet.
func TestOneNumberIsOnePacketThroughChangesOfLayer(t *testing.T) {
	for _, repairs := range []bool{true, false} {
		b := newBench(t, nil)
		socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, err)
		e := &ear{PacketConn: socket, heard: map[uint64][]byte{}}
		mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: e})
		t.Cleanup(func() { _ = mux.Close() })
		options := clientOptions{silent: true, engine: func(s *webrtc.SettingEngine) { s.SetICEUDPMux(mux) }}
		if !repairs {
			options.media = withoutRTX(t)
		}
		s := newStudio(t, b, "room", "alice", "q", "h", "f")
		s.layers, s.lossy = true, true
		bob := newClient(b, "room", "bob", options)
		v := &viewer{c: bob}
		s.run()
		bob.packet(0, true)
		stop := make(chan struct{})
		var asking sync.WaitGroup
		asking.Go(func() { askForEverything(bob, stop) })
		for i := range 24 {
			v.want(layer.Layer{Encoding: uint8(i % 3), Spatial: layer.All, Temporal: uint8(i / 3 % 2)}, i%2 == 0)
			for range 30 {
				bob.packet(0, true)
			}
		}
		close(stop)
		asking.Wait()
		e.mu.Lock()
		if e.different > 0 || !repairs && e.repeated < 100 || len(e.heard) < 700 {
			t.Errorf("RTX %v: of %d packets %d came again as they were, and %d as another one", repairs, len(e.heard), e.repeated, e.different)
		}
		e.mu.Unlock()
	}
}

// withoutRTX is what a client knows that takes VP8 and Opus, and no RTX.
func withoutRTX(t testing.TB) *webrtc.MediaEngine {
	t.Helper()
	media := &webrtc.MediaEngine{}
	must(t, media.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 120, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}}}}, webrtc.RTPCodecTypeVideo))
	must(t, media.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 121, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}}, webrtc.RTPCodecTypeAudio))
	return media
}

// askForEverything sends NACKs for the newest packets of all lines until it is stopped.
func askForEverything(c *client, stop chan struct{}) {
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		p := c.b.participant(c.room, c.id)
		if p == nil {
			return // the test has failed
		}
		for _, l := range *p.lines.Load() {
			l.to.sending.Lock()
			highest, _ := l.numbers.Highest()
			l.to.sending.Unlock()
			_ = c.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{
				MediaSSRC: l.stream.SSRC, Nacks: []rtcp.NackPair{{PacketID: uint16(highest - 16), LostPackets: 0xFFFF}}}})
		}
	}
}

// Packets, NACKs, slot changes, new agreements and departures come from all sides at once.
func TestEverythingAtOnce(t *testing.T) {
	f := newFan(t, 4)
	room := f.publisher.room
	pub := f.subscriptions[0].publication
	stop := make(chan struct{})
	var all sync.WaitGroup
	loop := func(step func(out *transport.Batch)) {
		all.Go(func() {
			out := room.sfu.plane.Batch()
			defer room.sfu.plane.Recycle(out)
			for {
				select {
				case <-stop:
					return
				default:
					step(out)
					out.Flush()
				}
			}
		})
	}
	batch := []transport.Datagram{{Data: picture8(0)}, {Data: picture8(1)}}
	var sequence uint16
	loop(func(out *transport.Batch) {
		for i := range batch {
			sequence++
			binary.BigEndian.PutUint16(batch[i].Data[2:], sequence)
			batch[i].Arrived = time.Now()
		}
		f.publisher.Packets(time.Now(), batch, out)
	})
	for _, s := range f.subscriptions {
		number := uint16(0)
		loop(func(out *transport.Batch) {
			number += 7
			ssrc := s.line.stream.SSRC
			s.line.to.RTCP(time.Now(), []rtcp.Packet{
				&rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: []rtcp.NackPair{{PacketID: number, LostPackets: 0xF0F0}}},
				&rtcp.PictureLossIndication{MediaSSRC: ssrc},
			}, out)
		})
	}
	turn := 0
	loop(func(*transport.Batch) {
		turn++
		l := f.subscriptions[turn%3].line
		room.mu.Lock()
		if l.current() == nil {
			l.carry(pub)
		} else {
			l.carry(nil)
		}
		room.unlock()
		l.negotiated(&transport.Section{Codecs: []transport.Codec{{PayloadType: uint8(96 + turn%2), Codec: packet.VP8, RTX: uint8(turn % 3)}}})
		l.to.alarm.by(time.Now())
	})
	time.Sleep(200 * time.Millisecond)
	must(t, room.sfu.Leave(context.Background(), "room", "subscriber3", "left"))
	time.Sleep(200 * time.Millisecond)
	must(t, room.sfu.CloseRoom(context.Background(), "room", "over"))
	time.Sleep(50 * time.Millisecond)
	close(stop)
	all.Wait()
}
