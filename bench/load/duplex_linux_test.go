package load

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// peer is a server as small as a test needs it: one socket, and the SRTP keys of one client.
type peer struct {
	t       *testing.T
	client  *Client
	socket  *datagram.Socket
	inbox   *datagram.Inbox
	in, out *srtp.Context
}

// newPeer gives a client keys, as a handshake would.
func newPeer(t *testing.T, c *Client) *peer {
	t.Helper()
	s, err := datagram.Listen(netip.AddrPortFrom(loopback, 0), datagram.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	context := func(key byte) *srtp.Context {
		c, err := srtp.CreateContext(bytes.Repeat([]byte{key}, 16), bytes.Repeat([]byte{key}, 12), srtp.ProtectionProfileAeadAes128Gcm)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	p := &peer{t, c, s, datagram.NewInbox(64, maxPacket), context(1), context(2)}
	err = c.engine.do(func() { c.port.in, c.port.out, c.port.remote = context(2), context(1), s.Local() })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// send seals a packet and sends it; it arrives between the two times.
func (p *peer) send(h rtp.Header, payload []byte) (before, after time.Time) {
	p.t.Helper()
	plain, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	sealed, err := p.out.EncryptRTP(nil, plain, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	before = time.Now()
	if err := p.socket.WriteTo(sealed, p.client.Addr()); err != nil {
		p.t.Fatal(err)
	}
	return before, time.Now()
}

func (p *peer) sendRTCP(packets ...rtcp.Packet) {
	p.t.Helper()
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		p.t.Fatal(err)
	}
	sealed, err := p.out.EncryptRTCP(nil, plain, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.socket.WriteTo(sealed, p.client.Addr()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) decode(b []byte) (*rtp.Packet, []rtcp.Packet) {
	p.t.Helper()
	if b[1] >= 192 && b[1] <= 223 {
		plain, err := p.in.DecryptRTCP(nil, b, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		packets, err := rtcp.Unmarshal(plain)
		if err != nil {
			p.t.Fatalf("%x: %v", plain, err)
		}
		return nil, packets
	}
	plain, err := p.in.DecryptRTP(nil, b, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	var packet rtp.Packet
	if err := packet.Unmarshal(plain); err != nil {
		p.t.Fatal(err)
	}
	return &packet, nil
}

const wideID = 3 // of the transport-wide sequence number

// stamped is a header with a transport-wide sequence number.
func stamped(t *testing.T, payloadType uint8, sequence, wide uint16) rtp.Header {
	t.Helper()
	h := rtp.Header{Version: 2, PayloadType: payloadType, SequenceNumber: sequence, SSRC: 77}
	if err := h.SetExtension(wideID, binary.BigEndian.AppendUint16(nil, wide)); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestFeedbackSaysWhenEachPacketArrived(t *testing.T) {
	e := newEngine(t)
	c, err := e.NewClient(ClientConfig{Local: loopback, Receives: true})
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, c)
	// The time of a packet is known once it is on its way, feedback comes when it likes: what is sent is kept by its number.
	type window struct{ before, after time.Time }
	sent := map[uint16]window{}
	var last uint16
	if err := e.do(func() { c.subscriber.transportCC = wideID }); err != nil {
		t.Fatal(err)
	}
	number := uint16(65530)
	for i := range uint16(40) { // over the wrap of the numbers
		payloadType := uint8(vp8Type)
		if i%5 == 0 {
			payloadType = rtxType // what repairs and probes has numbers as well
		}
		if number++; i%7 != 3 { // some are lost
			before, after := p.send(stamped(t, payloadType, i, number), []byte("media"))
			sent[number], last = window{before, after}, number
		}
		time.Sleep(time.Duration(i%4) * 700 * time.Microsecond) // so that there is something to tell apart
	}
	got := map[uint16]int64{} // arrival in microseconds, from the epoch of the reference times
	lost := 0
	for done := false; !done; {
		batch, err := p.inbox.Receive(p.socket, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range batch {
			_, packets := p.decode(m.Data)
			for _, packet := range packets {
				switch packet := packet.(type) {
				case *rtcp.TransportLayerCC:
					lost += decodeFeedback(t, packet, got)
					_, done = got[last]
				case *rtcp.TransportLayerNack:
					t.Fatal("the client asks for a retransmission")
				}
			}
		}
	}
	if want := 40 - len(sent); lost != want {
		t.Errorf("%d packets are reported lost, and %d were", lost, want)
	}
	if len(got) != len(sent) {
		t.Errorf("%d packets are reported, %d were sent", len(got), len(sent))
	}
	const era = int64(1<<24) * 64_000 // reference times start anew after so many microseconds
	for number, w := range sent {
		at, ok := got[number]
		early, late := w.before.UnixMicro()%era-250, w.after.UnixMicro()%era+250 // times are sent in steps of 250 µs
		if !ok || at < early || at > late {
			t.Errorf("packet %d: reported %v at %d, sent between %d and %d", number, ok, at, early, late)
		}
	}
}

// decodeFeedback adds what a feedback packet says to the arrivals, in microseconds, and returns how many it calls lost.
func decodeFeedback(t *testing.T, f *rtcp.TransportLayerCC, arrivals map[uint16]int64) (lost int) {
	t.Helper()
	var symbols []uint16
	for _, chunk := range f.PacketChunks {
		switch chunk := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range chunk.RunLength {
				symbols = append(symbols, chunk.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			symbols = append(symbols, chunk.SymbolList...)
		}
	}
	if len(symbols) < int(f.PacketStatusCount) {
		t.Fatalf("%d symbols for %d packets", len(symbols), f.PacketStatusCount)
	}
	at, delta := int64(f.ReferenceTime)*64_000, 0
	for i, symbol := range symbols[:f.PacketStatusCount] {
		if symbol == rtcp.TypeTCCPacketNotReceived {
			lost++
			continue
		}
		at += f.RecvDeltas[delta].Delta
		delta++
		arrivals[f.BaseSequenceNumber+uint16(i)] = at
	}
	return lost
}

func TestAClientSendsAndReceivesOverOnePort(t *testing.T) {
	e := newEngine(t)
	c, err := e.NewClient(ClientConfig{Local: loopback, Receives: true, Sampled: true, Publications: []Publication{
		{Source: 1, Pattern: Pattern{Audio: true, Interval: 20 * time.Millisecond, Packets: 1, Bytes: 100}},
		{Source: 2, Pattern: Pattern{Interval: 30 * time.Millisecond, Packets: 3, Bytes: 1000}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, c)
	const levelID = 4
	if err := e.do(func() {
		c.publishers[0].agree(agreement{ssrc: 100, payloadType: opusType, transportCC: wideID, audioLevel: levelID})
		c.publishers[1].agree(agreement{ssrc: 200, payloadType: vp8Type, transportCC: wideID})
	}); err != nil {
		t.Fatal(err)
	}
	if err := e.Route(Server); err != nil {
		t.Fatal(err)
	}
	var wide []uint16
	kinds := map[uint32]int{}
	for kinds[100] < 5 || kinds[200] < 9 {
		batch, err := p.inbox.Receive(p.socket, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range batch {
			packet, _ := p.decode(m.Data)
			if packet == nil {
				continue // a report
			}
			kinds[packet.SSRC]++
			wide = append(wide, binary.BigEndian.Uint16(packet.GetExtension(wideID)))
			if level := packet.GetExtension(levelID); packet.SSRC == 100 && !bytes.Equal(level, []byte{0x80 | 20}) {
				t.Fatalf("audio says its level is %x", level)
			}
		}
	}
	for i, number := range wide {
		if number != wide[0]+uint16(i) {
			t.Fatalf("transport-wide numbers are of one row for audio and video: %v", wide)
		}
	}
	p.sendRTCP(&rtcp.PictureLossIndication{MediaSSRC: 200}, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 200}}})
	p.sendRTCP(&rtcp.PictureLossIndication{MediaSSRC: 100}) // audio has no keyframes
	for asked := uint64(0); asked < 2; {
		s, err := e.Snapshot()
		if err != nil || s.Asked > 2 {
			t.Fatal(s.Asked, err)
		}
		asked = s.Asked
	}
}

func TestContentThatComesAgainUnderAnotherNumberIsFound(t *testing.T) {
	e := newEngine(t)
	c, err := e.NewClient(ClientConfig{Local: loopback, Receives: true, Sampled: true})
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, c)
	content := func(counter uint64) []byte {
		b := filled(200, 1)
		beginVideo(b, true, false, 1)
		writeStamp(b, videoPrefix, stamp{source: 9, counter: counter, sentAt: time.Now().UnixNano()})
		return b
	}
	for sequence, counter := range []uint64{0, 1, 1, 3} { // the server dropped 2 and sent 1 twice
		h := rtp.Header{Version: 2, PayloadType: vp8Type, SequenceNumber: uint16(sequence), SSRC: 5}
		p.send(h, content(counter))
	}
	wait := func(done func(Tally) bool) Tally {
		for {
			s, err := e.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Received[Server]; done(got) {
				return got
			}
		}
	}
	wait(func(got Tally) bool { return got.Packets == 4 })
	p.send(rtp.Header{Version: 2, PayloadType: vp8Type, SequenceNumber: 3, SSRC: 5}, content(3)) // the very same packet again
	got := wait(func(got Tally) bool { return got.Repeated > 0 })
	if got.Packets != 4 || got.Copied != 1 || got.Checked != 4 || got.Corrupt != 0 {
		t.Errorf("%+v", got)
	}
}
