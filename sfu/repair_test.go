package sfu

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// leak is an interceptor that loses every tenth packet of what is sent, but not what is sent again.
type leak struct{ interceptor.NoOp }

func (*leak) NewInterceptor(string) (interceptor.Interceptor, error) { return &leak{}, nil }

func (*leak) BindLocalStream(info *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	seen := map[uint16]bool{}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if h.SSRC == info.SSRC && h.SequenceNumber%10 == 5 && !seen[h.SequenceNumber] {
			seen[h.SequenceNumber] = true
			return len(payload), nil
		}
		return w.Write(h, payload, a)
	})
}

// What is lost between the publisher and us is asked for, repeated by RTX, and reaches the subscriber.
func TestLossTowardsUsIsRepaired(t *testing.T) {
	b := newBench(t, nil)
	media := &webrtc.MediaEngine{}
	must(t, media.RegisterDefaultCodecs())
	registry := &interceptor.Registry{}
	registry.Add(&leak{})
	responder, err := nack.NewResponderInterceptor()
	must(t, err)
	registry.Add(responder)
	alice := newClient(b, "room", "alice", clientOptions{open: true, registry: registry, media: media})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true})
	alice.play()
	seen := map[uint16]bool{}
	first := bob.packet(0, true).SequenceNumber
	for whole := 0; whole < 100; {
		seen[bob.packet(0, true).SequenceNumber-first] = true
		for whole = 1; seen[uint16(whole)]; whole++ {
		}
		if len(seen) > 1000 {
			t.Fatalf("sequence %d never came", whole)
		}
	}
	if b.count("parley_nack_total", "out") == 0 {
		t.Error("nothing was asked for")
	}
}

// What a subscriber asks for comes by RTX for video, and identically for audio, which has none.
func TestLossTowardsTheClientIsRepaired(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true})
	alice.play()
	for _, video := range []bool{true, false} {
		var asked *rtp.Packet
		for range 20 {
			asked = bob.packet(0, video)
		}
		must(t, bob.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{
			MediaSSRC: asked.SSRC, Nacks: []rtcp.NackPair{{PacketID: asked.SequenceNumber}}}}))
		if !video {
			// The client's SRTP drops what it has had already, which is what makes this safe. The counter says that it was sent.
			eventually(t, func() bool { return b.count("parley_retransmissions_total", "") >= 2 })
			continue
		}
		for range 500 {
			p := bob.packet(0, true)
			if p.SequenceNumber != asked.SequenceNumber {
				continue
			}
			if !bytes.Equal(p.Payload, asked.Payload) || p.Timestamp != asked.Timestamp || p.Marker != asked.Marker {
				t.Errorf("repeated as %v, was %v", p, asked)
			}
			asked = nil
			break
		}
		if asked != nil {
			t.Fatal("it was not repeated")
		}
	}
}

// Reports on our clock come for every line that carries something.
func TestSenderReportsFollowTheLine(t *testing.T) {
	b := newBench(t, nil)
	registry := &interceptor.Registry{}
	reports := make(chan *rtcp.SenderReport, 64)
	registry.Add(&tap{reports})
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, registry: registry})
	bob.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		bob.read(track, receiver)
		bob.readers.Go(func() {
			for {
				if _, _, err := receiver.ReadRTCP(); err != nil {
					return
				}
			}
		})
	})
	alice.play()
	p := bob.packet(0, true)
	timeout := time.After(patience)
	for {
		select {
		case sr := <-reports:
			if sr.SSRC != p.SSRC {
				continue
			}
			if off := time.Duration(int32(sr.RTPTime-p.Timestamp)) * time.Second / 90000; off < -time.Second || off > 5*time.Second {
				t.Errorf("the report is %v away from the packets", off)
			}
			return
		case <-timeout:
			t.Fatal("no sender report")
		}
	}
}

// tap copies the sender reports that are read.
type tap struct{ reports chan *rtcp.SenderReport }

func (t *tap) NewInterceptor(string) (interceptor.Interceptor, error) { return &tapped{tap: t}, nil }

type tapped struct {
	interceptor.NoOp
	tap *tap
}

func (t *tapped) BindRTCPReader(r interceptor.RTCPReader) interceptor.RTCPReader {
	return interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, a, err := r.Read(b, a)
		if err == nil {
			packets, _ := rtcp.Unmarshal(b[:n])
			for _, p := range packets {
				if sr, ok := p.(*rtcp.SenderReport); ok {
					select {
					case t.tap.reports <- sr:
					default:
					}
				}
			}
		}
		return n, a, err
	})
}

func TestArrivalTimesAreReported(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true, registry: twccRegistry(t)})
	newClient(b, "room", "bob", clientOptions{open: true, silent: true})
	alice.play()
	timeout := time.After(patience)
	for {
		select {
		case p := <-alice.rtcp:
			if cc, ok := p.(*rtcp.TransportLayerCC); ok && cc.PacketStatusCount > 0 {
				return
			}
		case <-timeout:
			t.Fatal("no transport-wide feedback")
		}
	}
}

func twccRegistry(t *testing.T) *interceptor.Registry {
	t.Helper()
	r := &interceptor.Registry{}
	must(t, webrtc.ConfigureTWCCHeaderExtensionSender(&webrtc.MediaEngine{}, r))
	return r
}

func TestPayloadsSurviveAsTheyAre(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true})
	alice.play()
	for range 50 {
		p := bob.packet(0, false)
		if who := sent(p, false); !strings.HasPrefix(who, "alice/") || p.PayloadType != 111 {
			t.Fatalf("payload %q, type %d", who, p.PayloadType)
		}
	}
}

// A repetition by RTX has a number of its own and the packet's bytes as this receiver had them; without RTX it is the identical
// packet, and what went out under another agreement is not repeated at all.
func TestARepetitionIsNumberedAnewOrIdentical(t *testing.T) {
	f := newFan(t, 1)
	f.renumber()
	l := f.subscriptions[0].line
	to := l.to
	batch := []transport.Datagram{{Arrived: f.now, Data: picture8(0)}}
	sequence := uint16(100)
	send := func() transport.Outgoing {
		sequence++
		binary.BigEndian.PutUint16(batch[0].Data[2:], sequence)
		f.pass(batch)
		return whole(&to.outgoing.packet)
	}
	again := func(o transport.Outgoing) (transport.Outgoing, bool) {
		f.now = f.now.Add(time.Second)
		l.renew(&to.outgoing, f.now)
		w, copies := l.again(f.now, uint16(o.Index), 0, &to.outgoing)
		ok := copies > 0 && to.outgoing.dispatchAgain(f.now, &w, to.peer.Load(), f.out)
		return whole(&to.outgoing.packet), ok
	}
	first := send()
	if bytes.Equal(first.Payload, batch[0].Data[12:]) {
		t.Fatal("the descriptor was not changed")
	}
	to.sending.Lock()
	defer to.sending.Unlock()
	repairs := l.repairs
	for i := range int64(2) {
		o, ok := again(first)
		want := append(binary.BigEndian.AppendUint16(nil, uint16(first.Index)), first.Payload...)
		if !ok || o.Header.SSRC != l.stream.RTX || o.Header.PayloadType != 97 || !bytes.Equal(o.Payload, want) {
			t.Fatalf("repeated as %+v, %v", o.Header, ok)
		}
		if o.Index != repairs+i+1 || o.Header.Sequence != uint16(o.Index) || o.Index > 1<<15+2 {
			t.Fatalf("number %d after %d", o.Index, repairs)
		}
	}
	a := *l.agreed.Load()
	a.codecs[packet.VP8].RTX = 0
	l.agreed.Store(&a)
	if _, ok := again(first); ok {
		t.Error("a packet of another agreement was repeated under its number")
	}
	to.sending.Unlock()
	second := send()
	to.sending.Lock()
	if o, ok := again(second); !ok || !reflect.DeepEqual(o, second) {
		t.Errorf("%v: repeated as %+v, was %+v", ok, o.Header, second.Header)
	}
}

// whole is a copy of a packet with its payload in one piece.
func whole(o *transport.Outgoing) transport.Outgoing {
	packet := *o
	packet.Header.Dependency = bytes.Clone(o.Header.Dependency)
	packet.Head, packet.Payload = nil, append(bytes.Clone(o.Head), o.Payload...)
	return packet
}

// One number is one packet, also when a repetition comes before the packet itself, or twice.
func TestAPacketIsForwardedOnce(t *testing.T) {
	f := newFan(t, 1)
	video := func(sequence uint16) transport.Datagram {
		d := transport.Datagram{Arrived: f.now, Data: picture8(0)}
		binary.BigEndian.PutUint16(d.Data[2:], sequence)
		return d
	}
	repair := func(sequence uint16) transport.Datagram {
		d := video(0)
		d.Data[1], d.Data[11] = 97, 8
		d.Data = append(binary.BigEndian.AppendUint16(d.Data[:12:12], sequence), d.Data[12:]...)
		return d
	}
	f.pass([]transport.Datagram{video(1), video(4), repair(2), repair(2), video(2), video(3), video(3), video(4), repair(3)})
	l := f.subscriptions[0].line
	l.to.sending.Lock()
	defer l.to.sending.Unlock()
	if n := l.books.Packets(); n != 4 {
		t.Errorf("%d packets were forwarded, want 4", n)
	}
}
