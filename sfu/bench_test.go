package sfu

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
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
	publisher, _ := fan(b, subscribers)
	data := picture8(0)
	now := time.Now()
	batch := []transport.Datagram{{Arrived: now, Data: data}}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		binary.BigEndian.PutUint16(data[2:], uint16(i))
		publisher.Packets(now, batch, nil)
	}
}

// picture8 is a packet of 1,100 bytes of VP8 from source 7, payload type 96.
func picture8(first byte) []byte {
	data := make([]byte, 1112)
	copy(data, []byte{0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x90, 0x80, 0x80, 0, first})
	return data
}

// fan is a room with one publisher of video and its subscribers, of whom nobody is connected.
func fan(b testing.TB, subscribers int) (*participant, []*subscription) {
	b.Helper()
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
		l.negotiated(&transport.Section{Codecs: []transport.Codec{{PayloadType: 96, Codec: 2, RTX: 97}}})
		r.mu.Lock()
		l.carry(pub)
		r.unlock()
	}
	return publisher, *pub.subscriptions.Load()
}

// From the decrypted packet to the batch that the transport gets, nothing is allocated for a packet, also where every
// subscriber's copy is numbered differently.
func TestForwardingAllocatesNothing(t *testing.T) {
	publisher, subscriptions := fan(t, 10)
	pub := subscriptions[0].publication
	now := time.Now()
	data := picture8(0)
	batch := []transport.Datagram{{Arrived: now, Data: data}}
	for i, s := range subscriptions {
		// They carried others before: picture ids must be changed.
		in := munge.In{Source: 1, Sequence: 1, Start: true, Arrived: now, VP8: &packet.VP8Descriptor{HasPictureID: true, PictureID: uint16(i)}}
		s.line.numbers.Switch(1)
		s.line.numbers.Map(&in, &munge.Out{})
		s.line.source = 1
		s.line.to.queue.limit = 64 // so few packets are ever under way
	}
	var sequence uint16
	one := func() {
		sequence++
		binary.BigEndian.PutUint16(data[2:], sequence)
		publisher.Packets(now, batch, nil)
		m := newMedia()
		m.references.Add(int32(len(subscriptions)))
		in := &publisher.incoming
		in.mu.Lock()
		stored, _ := pub.history.Get(int64(sequence))
		m.fill(pub, stored)
		in.mu.Unlock()
		for _, s := range subscriptions {
			if reason := s.line.to.prepare(now, item{s, m}); reason != "" {
				t.Fatal(reason)
			}
			m.release() // as transmit does
			o := &s.line.to.outgoing
			o.batch, o.held, o.copied = o.batch[:0], o.held[:0], 0
		}
		m.release()
	}
	for range 500 {
		one()
	}
	if n := testing.AllocsPerRun(1000, one); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
