package sfu

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// BenchmarkTwoPublishers sends the video of one publisher and the sound of another to 50 subscribers at the same time, on two
// goroutines: in one room, where both want each subscriber's sending lock, and in a room each, as if rooms were pinned to
// processors. The difference is what the lock costs.
func BenchmarkTwoPublishers(b *testing.B) {
	for _, c := range []struct {
		name  string
		rooms int
	}{{"one room", 1}, {"a room each", 2}} {
		b.Run(c.name, func(b *testing.B) {
			const subscribers, packets = 50, 10
			first := newFan(b, subscribers)
			second := first
			if c.rooms == 2 {
				second = newFan(b, subscribers)
			}
			speaker := second.speaker(b)
			var both sync.WaitGroup
			b.ResetTimer()
			both.Go(func() { publish(b.N, packets, first, picture8(0)) })
			both.Go(func() {
				sound := make([]byte, 112)
				copy(sound, []byte{0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9})
				publish(b.N, packets, speaker, sound)
			})
			both.Wait()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*b.N*subscribers*packets), "ns/packet")
		})
	}
}

// publish passes on so many runs of copies of a packet, numbered.
func publish(runs, packets int, f *fan, data []byte) {
	batch := make([]transport.Datagram, packets)
	for i := range batch {
		batch[i] = transport.Datagram{Arrived: f.now, Data: append([]byte(nil), data...)}
	}
	var sequence uint16
	for range runs {
		for i := range batch {
			sequence++
			binary.BigEndian.PutUint16(batch[i].Data[2:], sequence)
		}
		f.pass(batch)
	}
}

// speaker is a second publisher in the room, whose sound goes to the subscribers' audio lines.
func (f *fan) speaker(t testing.TB) *fan {
	t.Helper()
	r := f.publisher.room
	r.sfu.config.MaxParticipants++
	must(t, r.sfu.Join(context.Background(), Join{Room: r.id, Participant: "speaker"}))
	s := &fan{publisher: r.member("speaker"), now: f.now, out: r.sfu.plane.Batch()}
	t.Cleanup(func() { r.sfu.plane.Recycle(s.out) })
	pub := newPublication(s.publisher, "0", "microphone", false)
	in := &s.publisher.incoming
	in.mu.Lock()
	in.publications, in.sources[9] = []*publication{pub}, pub.encodings[0]
	in.codecs[111] = transport.Codec{PayloadType: 111, Codec: packet.Opus}
	in.mu.Unlock()
	r.mu.Lock()
	defer r.unlock()
	for _, sub := range f.subscriptions {
		sub.line.to.pairs[0].audio.carry(pub)
	}
	return s
}
