package transport

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/protect"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// insider is a worker without sockets and the keys of one client that it serves.
type insider struct {
	*worker
	plane  *Plane
	peer   *Peer
	sealer *protect.Sealer
	from   netip.AddrPort
}

// mirror are the keys of the other side.
func mirror(k protect.Keys) protect.Keys {
	k.LocalKey, k.LocalSalt, k.RemoteKey, k.RemoteSalt = k.RemoteKey, k.RemoteSalt, k.LocalKey, k.LocalSalt
	return k
}

func newInsider(t testing.TB, sink Sink) *insider {
	t.Helper()
	p := &Plane{fast: true, longest: 1, mux: newQuietMux()}
	p.local = p.mux.local
	peer := &Peer{plane: p, sink: sink}
	peer.shadow = &shadow{peer: peer}
	keys := protect.Keys{Profile: protect.GCM128, LocalKey: make([]byte, 16), LocalSalt: make([]byte, 12),
		RemoteKey: []byte("the other's key."), RemoteSalt: []byte("another salt")}
	if err := peer.shadow.activate(keys); err != nil {
		t.Fatal(err)
	}
	sealer, err := protect.NewSealer(mirror(keys))
	if err != nil {
		t.Fatal(err)
	}
	from := netip.MustParseAddrPort("192.0.2.7:7")
	p.mux.join(peer)
	p.mux.learn(peer, from)
	return &insider{&worker{plane: p, batch: p.newBatch(0), intake: newIntake()}, p, peer, sealer, from}
}

// give hands datagrams to the worker as if the network had brought them.
func (in *insider) give(now time.Time, datagrams ...[]byte) {
	messages := make([]datagram.Message, len(datagrams))
	for i, b := range datagrams {
		messages[i] = datagram.Message{Data: b, From: in.from}
	}
	in.handle(now, messages)
}

// seal seals what a hostile client may, RTP or RTCP as its second byte says; nil: nobody can seal it.
func (in *insider) seal(plain []byte, index int64) []byte {
	if len(plain) < 2 {
		return nil
	}
	plain[0] = plain[0]&0x3f | 0x80
	if isRTCP(plain) {
		b, err := in.sealer.SealRTCP(nil, plain)
		if err != nil {
			return nil
		}
		return b
	}
	if len(plain) < 12 {
		return nil
	}
	binary.BigEndian.PutUint16(plain[2:], uint16(index))
	n := packet.HeaderSize(plain)
	if n == 0 {
		return nil
	}
	b, err := in.sealer.Seal(append([]byte(nil), plain[:n]...), 0, plain[n:], binary.BigEndian.Uint32(plain[8:]), index)
	if err != nil {
		return nil
	}
	return b
}

// reader is a Sink that reads all there is to read in a packet, as the SFU does.
type reader struct {
	*ear
	ids  packet.Extensions
	info packet.Info
	vp8  packet.VP8Descriptor
}

// Packets implements Sink.
func (r *reader) Packets(_ time.Time, batch []Datagram, _ *Batch) {
	for _, d := range batch {
		if packet.Parse(d.Data, &r.ids, &r.info) != nil {
			continue
		}
		packet.ParseVP8(r.info.Payload, &r.vp8)
		for _, codec := range []packet.Codec{packet.VP8, packet.VP9, packet.H264, packet.AV1, packet.Opus} {
			packet.Keyframe(codec, r.info.Payload)
		}
		r.info.UnwrapRTX(1, 96)
	}
}

// RTCP implements Sink.
func (r *reader) RTCP(_ time.Time, packets []rtcp.Packet, _ *Batch) {
	for _, p := range packets {
		p.DestinationSSRC()
		if n, ok := p.(*rtcp.TransportLayerNack); ok {
			for i := range n.Nacks {
				n.Nacks[i].PacketList()
			}
		}
	}
}

// strangeRTP is a header that fits, and everything behind it wrong in some way.
func strangeRTP(rng *rand.Rand) []byte {
	b := []byte{byte(rng.IntN(64)), byte(rng.Uint32()), 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(rng.IntN(20))}
	noise := func(n int) {
		for range n {
			b = append(b, byte(rng.Uint32()))
		}
	}
	noise(4 * int(b[0]&0x0f))
	if b[0]&0x10 != 0 {
		words := rng.IntN(12)
		profile := []uint16{0xbede, 0x1000 | uint16(rng.IntN(16)), uint16(rng.Uint32())}[rng.IntN(3)]
		b = binary.BigEndian.AppendUint16(b, profile)
		b = append(b, 0, byte(words))
		noise(4 * words)
	}
	noise([]int{0, 1, 2, rng.IntN(30), rng.IntN(1400)}[rng.IntN(5)])
	if b[0]&0x20 != 0 {
		b[len(b)-1] = []byte{0, 1, 255, byte(len(b)), byte(rng.Uint32())}[rng.IntN(5)]
	}
	return b
}

// strangeRTCP is a compound of any types, some of whose lengths and counts are wrong.
func strangeRTCP(rng *rand.Rand) []byte {
	var b []byte
	for range 1 + rng.IntN(6) {
		words := 1 + rng.IntN(40)
		at := len(b)
		b = append(b, 0x80|byte(rng.IntN(64)), byte(200+rng.IntN(8)), 0, byte(words))
		for range 4 * words {
			b = append(b, byte(rng.Uint32()))
		}
		if at > 0 && rng.IntN(8) == 0 {
			b[at+2], b[at+3] = byte(rng.Uint32()), byte(rng.Uint32())
		}
		if b[at+1] == byte(rtcp.TypeTransportSpecificFeedback) && rng.IntN(2) == 0 {
			b[at] = 0x80 | rtcp.FormatTCC
		}
	}
	b[4], b[5], b[6], b[7] = 0, 0, 0, byte(rng.IntN(20)) // the sealer, too, keeps what it needs for each
	if rng.IntN(4) == 0 {
		b = b[:rng.IntN(len(b))]
	}
	return b
}

// Whatever a client seals with its own keys, nothing panics, nothing is left over, and everything is counted or handed up.
func TestStrangeMediaInsideValidSRTP(t *testing.T) {
	r := &reader{ear: &ear{t: t}, ids: packet.Extensions{MID: 1, RID: 2, AudioLevel: 3, TransportCC: 4, AbsSendTime: 5}}
	in := newInsider(t, r)
	rng := rand.New(rand.NewPCG(4, 2))
	at := time.Now()
	var before int64
	for i := range 40_000 {
		if i == 1000 {
			before = heap() // all sources are known
		}
		at = at.Add(time.Millisecond)
		plain := strangeRTP(rng)
		if i%2 == 0 {
			plain = strangeRTCP(rng)
		}
		if b := in.seal(plain, int64(i)); b != nil {
			in.give(at, b)
		}
	}
	if grown := heap() - before; grown > 500_000 {
		t.Errorf("%d bytes are left", grown)
	}
	if c := in.plane.refusals(); c.forged+c.repeated+c.strange+c.early > 0 {
		t.Errorf("the seal was not right: %+v", c)
	}
}

func FuzzInside(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		f.Add(strangeRTP(rng))
		f.Add(strangeRTCP(rng))
	}
	f.Add(arrivalReport(65521, []uint16{0x3fff, 0xbfff, 0xffff}, 4))
	f.Fuzz(func(t *testing.T, plain []byte) {
		if len(plain) > 1500 {
			return
		}
		r := &reader{ear: &ear{t: t}, ids: packet.Extensions{MID: 1, RID: 2, RepairedRID: 6, AudioLevel: 3, TransportCC: 4, AbsSendTime: 5}}
		in := newInsider(t, r)
		at := time.Now()
		raw := append([]byte{0x80}, plain...) // as it is: forged, whatever it says
		in.give(at, raw)
		sealed := in.seal(plain, 7)
		if sealed == nil {
			return
		}
		again := append([]byte(nil), sealed...)
		if n := allocated(func() { in.give(at, sealed, again) }); n > 1<<19 {
			t.Errorf("%d bytes took %d bytes of memory", len(plain), n)
		}
	})
}

// A panic amid a batch costs the rest of the batch. What was in it is not taken for somebody else's afterwards.
func TestAPanicLeavesNothingBehind(t *testing.T) {
	e := &ear{t: t}
	in, other := newInsider(t, e), newInsider(t, &ear{t: t})
	in.plane.config.Logger = quiet
	in.plane.mux.join(other.peer)
	other.peer.plane, other.from = in.plane, netip.MustParseAddrPort("192.0.2.8:8")
	in.plane.mux.learn(other.peer, other.from)
	plain := append([]byte{0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}, "payload"...)
	buffer := in.seal(plain, 1)
	intake := in.intake
	in.intake = nil // so that STUN makes it panic
	in.guarded([]datagram.Message{{Data: other.seal(plain, 1), From: other.from}, {Data: buffer, From: in.from}, {Data: []byte{0, 1}, From: in.from}})
	in.intake = intake
	copy(buffer, in.seal(plain, 2)) // as the next batch is received into the same
	in.guarded([]datagram.Message{{Data: other.seal(plain, 2), From: other.from}, {Data: buffer, From: in.from}})
	if n := e.heard(); n != 1 || in.plane.counts.forged.Load() > 0 || in.plane.counts.repeated.Load() > 0 {
		t.Errorf("%d packets went up, want 1; %+v", n, in.plane.refusals())
	}
}
