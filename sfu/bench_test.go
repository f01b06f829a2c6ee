package sfu

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/transport"
)

// BenchmarkFanOut takes one publisher's video packets of 1,100 bytes to 1, 10 and 50 subscribers who are not connected: the
// road from the decrypted packet to the subscribers' senders, without encryption and sockets.
func BenchmarkFanOut(b *testing.B) {
	for _, subscribers := range []int{1, 10, 50} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) { fanOut(b, subscribers) })
	}
}

func fanOut(b *testing.B, subscribers int) {
	s := newBench(b, func(c *Config) { c.MaxParticipants = subscribers + 1 })
	ctx := context.Background()
	must(b, s.Join(ctx, Join{Room: "room", Participant: "publisher", Open: true}))
	publisher := s.participant("room", "publisher")
	r := s.room("room")
	pub := newPublication(publisher, "0", "camera", true)
	in := &publisher.incoming
	in.mu.Lock()
	in.publications = []*publication{pub}
	in.sources[7] = pub
	in.codecs[96] = transport.Codec{PayloadType: 96, Codec: 2, NACK: true}
	in.mu.Unlock()
	for i := range subscribers {
		id := fmt.Sprintf("subscriber%d", i)
		must(b, s.Join(ctx, Join{Room: "room", Participant: id}))
		p := s.participant("room", id)
		l := newLine(p, 0, true, "pair-0", &transport.Stream{SSRC: 1, Video: true})
		r.mu.Lock()
		l.carry(pub)
		r.unlock()
	}
	packet := make([]byte, 1112)
	copy(packet, []byte{0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x90, 0x80, 0x80, 0})
	batch := []transport.Datagram{{Arrived: time.Now(), Data: packet}}
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		binary.BigEndian.PutUint16(packet[2:], uint16(i))
		publisher.Packets(batch)
	}
}
