package transport

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/protect"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// fork is a Sink that sends every packet on to a number of peers.
type fork struct {
	peers  []*Peer
	stream Stream
	index  int64
	sent   int
}

// Packets implements Sink, peer by peer as the SFU does.
func (f *fork) Packets(_ time.Time, batch []Datagram, out *Batch) {
	for _, p := range f.peers {
		out.Reserve(len(batch))
		for i := range batch {
			o := Outgoing{Stream: &f.stream, Index: f.index + int64(i), Payload: batch[i].Data[12:],
				Header: packet.Header{SSRC: 9, PayloadType: 96, Sequence: uint16(f.index + int64(i))}}
			if out.Add(p, &o) {
				f.sent++
			}
		}
	}
	f.index += int64(len(batch))
}

// RTCP implements Sink.
func (f *fork) RTCP(time.Time, []rtcp.Packet, *Batch) {}

// Message implements Sink.
func (f *fork) Message([]byte) {}

// State implements Sink.
func (f *fork) State() {}

// road is a worker with real sockets, whose one client's packets go to a number of peers.
type road struct {
	*insider
	fork   *fork
	frame  [][]byte // sealed
	spare  [][]byte // what is opened in place
	batch  []datagram.Message
	plain  []byte
	number int64
}

func newRoad(t testing.TB, peers, packets, payload int) *road {
	t.Helper()
	f := &fork{}
	r := &road{insider: newInsider(t, f), fork: f, plain: make([]byte, 12+payload)}
	sockets, err := datagram.ListenShared(netip.MustParseAddrPort("127.0.0.1:0"), 1, datagram.Options{Buffer: socketBuffer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sockets[0].Close() })
	r.plane.sockets = [][]udpSocket{{sockets[0]}}
	r.plane.longest = datagram.MaxSegments
	r.worker.batch = r.plane.newBatch(0)
	for range peers {
		sink, err := net.ListenPacket("udp4", "127.0.0.1:0") // nobody reads: what does not fit is lost
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sink.Close() })
		p := &Peer{plane: r.plane}
		p.shadow = &shadow{peer: p}
		keys := protect.Keys{Profile: protect.GCM128, LocalKey: make([]byte, 16), LocalSalt: make([]byte, 12), RemoteKey: make([]byte, 16), RemoteSalt: make([]byte, 12)}
		if err := p.shadow.activate(keys); err != nil {
			t.Fatal(err)
		}
		p.shadow.path.Store(&path{addr: sink.LocalAddr().(*net.UDPAddr).AddrPort()})
		f.peers = append(f.peers, p)
	}
	for range packets {
		r.frame, r.spare = append(r.frame, make([]byte, 0, len(r.plain)+16)), append(r.spare, make([]byte, len(r.plain)+16))
		r.batch = append(r.batch, datagram.Message{From: r.from})
	}
	return r
}

// prepare seals the next frame, as the client would.
func (r *road) prepare() {
	r.plain[0], r.plain[1] = 0x80, 96
	for i := range r.frame {
		r.number++
		binary.BigEndian.PutUint16(r.plain[2:], uint16(r.number))
		sealed, err := r.sealer.Seal(append(r.frame[i][:0], r.plain[:12]...), 0, r.plain[12:], 0, r.number)
		if err != nil {
			panic(err)
		}
		copy(r.spare[i], sealed)
		r.batch[i].Data = r.spare[i]
	}
}

// A packet is opened, sealed for each receiver and sent without an allocation.
func TestTheRoadAllocatesNothing(t *testing.T) {
	r := newRoad(t, 10, 5, 1000)
	now := time.Now()
	pass := func() {
		r.prepare()
		now = now.Add(10 * time.Millisecond)
		r.handle(now, r.batch)
	}
	for range 100 {
		pass()
	}
	r.fork.sent = 0
	if n := testing.AllocsPerRun(500, pass); n != 0 {
		t.Errorf("%v allocations for five packets to ten receivers", n)
	}
	if want := 501 * 10 * 5; r.fork.sent != want {
		t.Errorf("%d packets were sent, want %d", r.fork.sent, want)
	}
}

// BenchmarkRoad is the transport's part of the road: opened, sealed for each receiver and handed to the kernel.
func BenchmarkRoad(b *testing.B) {
	for _, c := range []struct{ peers, packets, payload int }{{50, 10, 1100}, {60, 1, 100}, {1, 10, 1100}, {1, 1, 100}} {
		b.Run(fmt.Sprintf("%dx%dx%dB", c.peers, c.packets, c.payload), func(b *testing.B) {
			r := newRoad(b, c.peers, c.packets, c.payload)
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				r.prepare()
				b.StartTimer()
				now = now.Add(10 * time.Millisecond)
				r.handle(now, r.batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.peers*c.packets), "ns/packet")
		})
	}
}
