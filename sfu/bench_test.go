package sfu

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/pacer"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// BenchmarkFanOut takes one publisher's video packets of 1,100 bytes to 1, 10 and 50 subscribers, one packet and ten at a time:
// the road from the decrypted packet to the batch. There is no encryption, because nobody has been connected, and no socket.
func BenchmarkFanOut(b *testing.B) {
	for _, subscribers := range []int{1, 10, 50} {
		for _, packets := range []int{1, 10} {
			b.Run(fmt.Sprintf("%dx%d", subscribers, packets), func(b *testing.B) { fanOut(b, subscribers, packets, false) })
			b.Run(fmt.Sprintf("%dx%d paced", subscribers, packets), func(b *testing.B) { fanOut(b, subscribers, packets, true) })
		}
	}
}

func fanOut(b *testing.B, subscribers, packets int, paced bool) {
	f := newFanOf(b, subscribers, clientOptions{silent: true, agrees: paced})
	batch := make([]transport.Datagram, packets)
	for i := range batch {
		batch[i].Data = picture8(0)
	}
	var sequence uint16
	pass := func() {
		for i := range batch {
			sequence++
			binary.BigEndian.PutUint16(batch[i].Data[2:], sequence)
			batch[i].Arrived = f.now
		}
		f.now = f.now.Add(time.Millisecond)
		f.pass(batch)
	}
	pass()
	f.trust()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		pass()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subscribers*packets), "ns/packet")
}

// BenchmarkPacing is what estimator and pacer cost on that road: the same pictures of ten packets go to 50 subscribers who report
// what arrives, and to 50 who do not, in turns. Sealing and sending are not in it: the packets are small enough to fit one batch. Medians of
// the turns hardly notice what else the machine does.
func BenchmarkPacing(b *testing.B) {
	fans := [2]*fan{newFanOf(b, 50, clientOptions{silent: true}), newFanOf(b, 50, clientOptions{silent: true, agrees: true})}
	batch := make([]transport.Datagram, 10)
	for i := range batch {
		batch[i].Data = picture8(0)[:100]
	}
	var sequence uint16
	pass := func(f *fan) time.Duration {
		f.now = f.now.Add(33 * time.Millisecond)
		for i := range batch {
			binary.BigEndian.PutUint16(batch[i].Data[2:], sequence+uint16(i))
			batch[i].Arrived = f.now
		}
		began := time.Now()
		f.publisher.Packets(f.now, batch, f.out)
		took := time.Since(began)
		f.out.Flush()
		return took
	}
	var took [2][]time.Duration
	for i := range 100 + b.N { // the first are until the estimate remembers as much as it will
		for kind, f := range fans {
			one := pass(f)
			if i >= 100 {
				took[kind] = append(took[kind], one)
			} else {
				f.trust()
			}
		}
		sequence += uint16(len(batch))
	}
	var median [2]float64
	for kind := range took {
		slices.Sort(took[kind])
		median[kind] = float64(took[kind][len(took[kind])/2]) / 500
	}
	b.ReportMetric(median[0], "plain-ns/packet")
	b.ReportMetric(median[1], "paced-ns/packet")
	b.ReportMetric(median[1]/median[0], "ratio")
}

// picture8 is a packet of 1,100 bytes of VP8 from source 7, payload type 96.
func picture8(first byte) []byte {
	data := make([]byte, 1112)
	copy(data, []byte{0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x90, 0x80, 0x80, 0, first})
	return data
}

// fan is a room with one publisher of video and its subscribers. They have negotiated, but nobody is at the other end.
type fan struct {
	publisher     *participant
	subscriptions []*subscription
	now           time.Time
	out           *transport.Batch
}

func newFan(t testing.TB, subscribers int) *fan {
	t.Helper()
	return newFanOf(t, subscribers, clientOptions{silent: true})
}

// newFanOf is a fan of subscribers who offer what a client with these options does.
func newFanOf(t testing.TB, subscribers int, o clientOptions) *fan {
	t.Helper()
	s := newBench(t, func(c *Config) {
		c.MaxParticipants, c.MediaPath = subscribers+1, transport.PionPath // which takes packets before there are keys
		c.ConnectTimeout, c.ICEDisconnected, c.ICEFailed = time.Hour, time.Hour, time.Hour
	})
	ctx := context.Background()
	must(t, s.Join(ctx, Join{Room: "room", Participant: "publisher", Open: true}))
	f := &fan{publisher: s.participant("room", "publisher"), now: time.Now(), out: s.plane.Batch()}
	t.Cleanup(func() { s.plane.Recycle(f.out) })
	pub := newPublication(f.publisher, "0", "camera", true)
	in := &f.publisher.incoming
	in.mu.Lock()
	in.publications = []*publication{pub}
	in.sources[7], in.sources[8] = pub.encodings[0], pub.encodings[0]
	in.codecs[96] = transport.Codec{PayloadType: 96, Codec: packet.VP8, RTX: 97, NACK: true}
	in.codecs[97] = transport.Codec{PayloadType: 97, Repair: true, Repairs: 96}
	in.mu.Unlock()
	r := s.room("room")
	r.mu.Lock()
	f.publisher.publications = []*publication{pub}
	r.unlock()
	client := build(s, "room", "", o)
	offer, err := client.pc.CreateOffer(nil)
	must(t, err)
	for i := range subscribers {
		id := fmt.Sprintf("subscriber%d", i)
		must(t, s.Join(ctx, Join{Room: "room", Participant: id}))
		_, err := s.Offer(ctx, Offer{Room: "room", Participant: id, SDP: offer.SDP, Slots: []OfferedSlot{{AudioMID: "0", VideoMID: "1"}}})
		must(t, err)
		s.participant("room", id).live.Store(true)
	}
	f.subscriptions = *pub.subscriptions.Load()
	if len(f.subscriptions) != subscribers {
		t.Fatalf("%d subscriptions, want %d", len(f.subscriptions), subscribers)
	}
	return f
}

// pass takes one run of packets all the way.
func (f *fan) pass(batch []transport.Datagram) {
	f.publisher.Packets(f.now, batch, f.out)
	f.out.Flush()
}

// trust takes the subscribers' networks for fast ones: nobody reports here.
func (f *fan) trust() {
	for _, s := range f.subscriptions {
		to := s.line.to
		to.sending.Lock()
		c := to.outgoing.pace
		if c != nil {
			c.deaf, c.most = true, 4_000_000_000
			c.queue = pacer.New[waiter](c.latest, c.most, pacer.Config{})
			c.follow(c.latest)
		}
		to.sending.Unlock()
	}
}

// renumber lets the lines have carried something else before, so that the indices in each picture must be changed.
func (f *fan) renumber() {
	for i, s := range f.subscriptions {
		in := munge.In{Source: 1, Sequence: 1, Start: true, Arrived: f.now, VP8: &packet.VP8Descriptor{HasPictureID: true, PictureID: uint16(i)}}
		l := s.line
		l.to.sending.Lock()
		l.numbers.Switch(1)
		l.numbers.Map(&in, &munge.Out{})
		l.source = 1
		l.to.sending.Unlock()
	}
}

// From the decrypted packet to the transport's batch, nothing is allocated for a packet, also where every subscriber's copy is
// numbered differently.
func TestForwardingAllocatesNothing(t *testing.T) {
	for _, paced := range []bool{false, true} {
		t.Run(fmt.Sprintf("paced %v", paced), func(t *testing.T) { allocatesNothing(t, paced) })
	}
}

func allocatesNothing(t *testing.T, paced bool) {
	f := newFanOf(t, 10, clientOptions{silent: true, agrees: paced})
	f.renumber()
	batch := []transport.Datagram{{Arrived: f.now, Data: picture8(0)}, {Arrived: f.now, Data: picture8(1)}}
	var sequence uint16
	one := func() {
		for i := range batch {
			sequence++
			binary.BigEndian.PutUint16(batch[i].Data[2:], sequence)
		}
		f.now = f.now.Add(time.Millisecond)
		f.pass(batch)
	}
	one()
	l := f.subscriptions[0].line
	waited := 2 - l.books.Packets() // behind the first probe
	f.trust()
	for range 10_000 { // until the estimate remembers as much as it will
		one()
	}
	if n := testing.AllocsPerRun(1000, one); n != 0 {
		t.Errorf("%v allocations for a run of %d packets", n, len(batch))
	}
	for _, s := range f.subscriptions {
		s.line.to.sending.Lock()
		if n := s.line.books.Packets(); n != uint32(sequence)-waited {
			t.Errorf("%d packets of %d went to %s", n, sequence, s.line.to.id)
		}
		s.line.to.sending.Unlock()
	}
}
