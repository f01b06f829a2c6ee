package sfu

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
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
