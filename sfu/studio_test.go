package sfu

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/report"
)

// simulcastMedia is what a client must know to publish in several encodings.
func simulcastMedia(t testing.TB) *webrtc.MediaEngine {
	t.Helper()
	media := &webrtc.MediaEngine{}
	must(t, media.RegisterDefaultCodecs())
	for _, uri := range []string{packet.URIMID, packet.URIRID, packet.URIRepairedRID, packet.URIDependencyDescriptor} {
		must(t, media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo))
	}
	must(t, media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: packet.URIMID}, webrtc.RTPCodecTypeAudio))
	must(t, webrtc.ConfigureTWCCHeaderExtensionSender(media, &interceptor.Registry{}))
	return media
}

// simulcast publishes the video in several encodings.
func (c *client) simulcast(codec webrtc.RTPCodecCapability, rids []string) {
	c.t.Helper()
	var sender *webrtc.RTPSender
	for _, rid := range rids {
		track, err := webrtc.NewTrackLocalStaticRTP(codec, "video", "main", webrtc.WithRTPStreamID(rid))
		must(c.t, err)
		if sender != nil {
			must(c.t, sender.AddEncoding(track))
		} else {
			t, err := c.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			must(c.t, err)
			sender = t.Sender()
		}
		c.readers.Go(func() {
			for {
				packets, _, err := sender.ReadSimulcastRTCP(rid)
				if err != nil {
					return
				}
				for _, p := range packets {
					select {
					case c.rtcp <- p:
					default:
					}
				}
			}
		})
	}
	c.video = nil
}

// studio is a publisher of VP8 in several encodings, which it makes as a browser does: a keyframe at first and when one is asked
// for, and at first packets say what they are of.
type studio struct {
	*client
	out    webrtc.TrackLocalWriter // any source
	shots  []*shot                 // from the smallest
	ids    packet.Extensions
	ticks  int
	clock  atomic.Int64 // ticks so far
	named  int          // for so many ticks packets say what they are of
	layers bool         // two temporal layers
	lossy  bool         // every tenth packet is lost on its way to us, but not what is sent again
	small  int          // bytes of a packet of the smallest encoding, at least; each larger one has four times as many
}

// shot is one encoding.
type shot struct {
	rid      string
	ssrc     uint32
	rtx      uint32
	off      atomic.Bool
	wanted   atomic.Bool // a keyframe
	asked    atomic.Int32
	sequence uint16
	picture  uint16
	base     uint8 // TL0PICIDX
	count    int   // of pictures
	fixes    uint16

	mu   sync.Mutex
	sent map[uint16]*rtp.Packet
}

func newStudio(t testing.TB, b *bench, room, id string, rids ...string) *studio {
	t.Helper()
	c := newClient(b, room, id, clientOptions{open: true, rids: rids, media: simulcastMedia(t)})
	s := &studio{client: c, named: 20}
	s.out = <-c.stream
	sender := c.pc.GetSenders()[1]
	parameters := sender.GetParameters()
	for _, e := range parameters.HeaderExtensions {
		switch e.URI {
		case packet.URIMID:
			s.ids.MID = uint8(e.ID)
		case packet.URIRID:
			s.ids.RID = uint8(e.ID)
		case packet.URIRepairedRID:
			s.ids.RepairedRID = uint8(e.ID)
		}
	}
	if s.ids.RID == 0 {
		t.Fatal("no extension for rids was agreed on")
	}
	for i, e := range parameters.Encodings {
		shot := &shot{rid: e.RID, ssrc: uint32(e.SSRC), rtx: uint32(e.RTX.SSRC), sequence: uint16(65500 + 7*i), picture: uint16(100 * i), sent: map[uint16]*rtp.Packet{}}
		if shot.rtx == 0 {
			shot.rtx = shot.ssrc + 1
		}
		shot.wanted.Store(true)
		s.shots = append(s.shots, shot)
	}
	s.writers.Go(s.listen)
	return s
}

// listen hears requests for keyframes.
func (s *studio) listen() {
	for {
		select {
		case <-s.stop:
			return
		case p := <-s.rtcp:
			for _, shot := range s.shots {
				switch p := p.(type) {
				case *rtcp.PictureLossIndication:
					if p.MediaSSRC == shot.ssrc {
						shot.asked.Add(1)
						shot.wanted.Store(true)
					}
				case *rtcp.TransportLayerNack:
					for _, pair := range p.Nacks {
						pair.Range(func(sequence uint16) bool {
							if p.MediaSSRC == shot.ssrc {
								s.repeat(shot, sequence)
							}
							return true
						})
					}
				}
			}
		}
	}
}

// tick sends one picture of each encoding.
func (s *studio) tick() {
	for i, shot := range s.shots {
		if shot.off.Load() {
			shot.wanted.Store(true) // an encoder that is started begins with a keyframe
			continue
		}
		s.picture(i, shot)
	}
	if s.ticks%5 == 0 {
		s.report()
	}
	s.ticks++
	s.clock.Add(1)
}

// report ties the times of all encodings to one clock.
func (s *studio) report() {
	now := report.NTP(time.Now())
	var reports []rtcp.Packet
	for i, shot := range s.shots {
		reports = append(reports, &rtcp.SenderReport{SSRC: shot.ssrc, NTPTime: now, RTPTime: s.time(i)})
	}
	_ = s.pc.WriteRTCP(reports)
}

// time is the timestamp of an encoding's picture.
func (s *studio) time(i int) uint32 { return uint32(s.ticks)*900 + uint32(i)*1e9 }

// run ticks until the client is closed.
func (s *studio) run() {
	s.writers.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-tick.C:
				s.tick()
			}
		}
	})
}

// picture sends one picture of an encoding in two packets.
func (s *studio) picture(i int, shot *shot) {
	key := shot.wanted.Swap(false)
	temporal := byte(0)
	if s.layers && shot.count%2 == 1 && !key {
		temporal = 1
	}
	if temporal == 0 {
		shot.base++
	}
	if key {
		shot.count = 0
	}
	for part := range 2 {
		first := byte(0x80)
		frame := byte(1)
		if part == 0 {
			first |= 0x10
			if key {
				frame = 0
			}
		}
		payload := []byte{first, 0xE0, 0x80 | byte(shot.picture>>8), byte(shot.picture), shot.base, temporal<<6 | 0x20*temporal, frame}
		payload = append(payload, fmt.Sprintf("%s/%d/%d/", shot.rid, s.ticks, part)...)
		payload = append(payload, make([]byte, max(0, s.small<<(2*i)-len(payload)))...)
		p := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: part == 1, PayloadType: 96, SSRC: shot.ssrc, SequenceNumber: shot.sequence,
			Timestamp: s.time(i)}, Payload: payload}
		shot.mu.Lock()
		shot.sent[shot.sequence] = p
		shot.mu.Unlock()
		shot.sequence++
		if !s.lossy || shot.sequence%10 != 5 {
			s.write(p, shot.rid, s.ids.RID)
		}
	}
	shot.picture = (shot.picture + 1) & 0x7fff
	shot.count++
}

// write sends a packet, which at first says what it is of; and always, when it is a repetition.
func (s *studio) write(p *rtp.Packet, rid string, id uint8) {
	h := p.Header.Clone()
	if id == s.ids.RepairedRID || s.ticks < s.named {
		_ = h.SetExtension(s.ids.MID, []byte("1"))
		_ = h.SetExtension(id, []byte(rid))
	}
	_, _ = s.out.WriteRTP(&h, p.Payload)
}

// repeat sends a packet again by RTX.
func (s *studio) repeat(shot *shot, sequence uint16) {
	shot.mu.Lock()
	lost := shot.sent[sequence]
	shot.mu.Unlock()
	if lost == nil {
		return
	}
	p := lost.Clone()
	p.Payload = append(binary.BigEndian.AppendUint16(nil, sequence), p.Payload...)
	p.SSRC, p.PayloadType, p.SequenceNumber = shot.rtx, 97, shot.fixes
	shot.fixes++
	s.write(p, shot.rid, s.ids.RepairedRID)
}

// viewer looks at what comes on the video line of a client's pair 0 as a decoder does, and complains about anything that would
// freeze it.
type viewer struct {
	c    *client
	last *rtp.Packet
	pid  uint16
	base byte
	rid  string
	line uint32 // the time of tick 0; 0: not held to it yet
}

// next is which encoding and layer the next packet is of.
func (v *viewer) next() (rid string, temporal byte) {
	v.c.t.Helper()
	p := v.c.packet(0, true)
	b := p.Payload
	pid := binary.BigEndian.Uint16(b[2:]) & 0x7fff
	rid, _, _ = strings.Cut(string(b[7:]), "/")
	temporal = b[5] >> 6
	start := b[0]&0x10 != 0
	if l := v.last; l != nil {
		switch {
		case p.SequenceNumber != l.SequenceNumber+1:
			v.c.t.Fatalf("number %d after %d (%s after %s)", p.SequenceNumber, l.SequenceNumber, b[7:], l.Payload[7:])
		case start && pid != (v.pid+1)&0x7fff || !start && pid != v.pid:
			v.c.t.Fatalf("picture %d after %d (%s after %s)", pid, v.pid, b[7:], l.Payload[7:])
		case start && temporal == 0 && b[4] != v.base+1 || (!start || temporal > 0) && b[4] != v.base:
			v.c.t.Fatalf("base %d after %d (%s after %s)", b[4], v.base, b[7:], l.Payload[7:])
		case start && int32(p.Timestamp-l.Timestamp) <= 0 || !start && p.Timestamp != l.Timestamp:
			v.c.t.Fatalf("time %d after %d", p.Timestamp, l.Timestamp)
		case start != l.Marker:
			v.c.t.Fatalf("marker %v in front of %s", l.Marker, b[7:])
		}
	}
	if rid != v.rid && (!start || b[6]&1 != 0) {
		v.c.t.Fatalf("from %s to %s without a keyframe", v.rid, rid)
	}
	var tick uint32
	_, _ = fmt.Sscanf(string(b[7:]), rid+"/%d/", &tick)
	if line := p.Timestamp - 900*tick; v.line != 0 && line-v.line+2 > 4 {
		v.c.t.Fatalf("%s is %d off the line", b[7:], int32(line-v.line))
	} else if v.line != 0 {
		v.line = line
	}
	v.last, v.pid, v.base, v.rid = p, pid, b[4], rid
	return rid, temporal
}

// until looks on until an encoding comes.
func (v *viewer) until(rid string) {
	v.c.t.Helper()
	for range 2000 {
		if got, _ := v.next(); got == rid {
			return
		}
	}
	v.c.t.Fatalf("%s never comes", rid)
}

// want sets what is forwarded to the client at best.
func (v *viewer) want(best layer.Layer, urgent bool) {
	s := v.c.b.participant(v.c.room, v.c.id)
	s.room.mu.Lock()
	line := s.pairs[0].video
	s.room.mu.Unlock()
	s.still.Store(true)
	s.sending.Lock()
	defer s.sending.Unlock()
	line.current().want(best, urgent)
}
