package load

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
	"time"

	"github.com/pion/interceptor/pkg/twcc"

	"github.com/parleyrtc/parley/bench/floor"
	"github.com/parleyrtc/parley/sfu/packet"
)

// Tally is what subscribers have received.
type Tally struct {
	Packets  uint64 // of media, each counted once
	Bytes    uint64 // of those, as UDP payload
	Expected uint64 // by the sequence numbers, from the first packet of a stream to its highest
	Repeated uint64 // packets that came again
	Repairs  uint64 // RTX packets with content
	Padding  uint64 // packets in the streams of RTX that are padding: a server probes with them
	Checked  uint64 // packets of the sample that were opened and found good
	Corrupt  uint64 // packets of the sample that did not open, or opened to other bytes than were sent
	Copied   uint64 // packets of the sample whose content had come before under another number, which hides a loss
	Streams  int    // that carry media
}

// Add sums.
func (t Tally) Add(o Tally) Tally {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
	t.Expected += o.Expected
	t.Repeated += o.Repeated
	t.Repairs += o.Repairs
	t.Padding += o.Padding
	t.Checked += o.Checked
	t.Corrupt += o.Corrupt
	t.Copied += o.Copied
	t.Streams += o.Streams
	return t
}

// subscriber counts what a client gets.
type subscriber struct {
	// set at construction
	floorKey []byte // material of floor.NewCipher
	engine   *Engine
	port     *port
	sampled  bool
	sender   uint32 // SSRC of what we report

	// owned by the engine's thread
	received    [routes]received
	floorCipher *floor.Cipher
	transportCC uint8 // extension id, 0: the server does not send it
	arrivals    *twcc.Recorder
	reportAt    time.Duration
	feedbackAt  time.Duration
	controls    uint64 // RTCP packets that came
}

// received is what came on one route.
type received struct {
	flows    map[uint32]*flow // by SSRC
	newest   *flow            // of the packet before; most are of the same train
	tally    Tally            // its Packets, Expected, Repeated and Streams are counted on demand
	contents map[uint32]*flow // by source: what the payloads of the sample say of themselves
}

func newSubscriber(e *Engine, port *port, sampled bool) (*subscriber, error) {
	s := &subscriber{
		engine: e, port: port, sampled: sampled, sender: mathrand.Uint32(), floorKey: make([]byte, floor.KeySize+floor.SaltSize),
	}
	_, _ = rand.Read(s.floorKey) // never fails
	var err error
	if s.floorCipher, err = floor.NewCipher(s.floorKey); err != nil {
		return nil, err
	}
	for i := range s.received {
		s.received[i].flows, s.received[i].contents = map[uint32]*flow{}, map[uint32]*flow{}
	}
	s.arrivals = twcc.NewRecorder(s.sender)
	return s, nil
}

func (s *subscriber) count(r Route) Tally {
	t := s.received[r].tally
	for _, f := range s.received[r].flows {
		t.Packets += f.received
		t.Expected += f.expected()
		t.Repeated += f.repeated
	}
	t.Streams = len(s.received[r].flows)
	return t
}

// rtp counts one packet of at least 12 bytes, and checks it when this subscriber is of the sample.
func (s *subscriber) rtp(b []byte, route Route, at int64) {
	r := &s.received[route]
	ssrc, payloadType := binary.BigEndian.Uint32(b[8:]), b[1]&0x7f
	if s.transportCC != 0 && route == Server {
		s.arrived(b, ssrc, at) // also of what repairs and probes: the numbers are the transport's
	}
	if payloadType == rtxType {
		if padded := b[0]&0x20 != 0; padded { // a repetition of ours has no padding, and whoever probes has nothing else
			r.tally.Padding++
		} else {
			r.tally.Repairs++
		}
		return
	}
	f := r.newest
	if f == nil || f.ssrc != ssrc {
		f = r.flow(ssrc, payloadType)
	}
	if repeated := f.count(binary.BigEndian.Uint16(b[2:])); repeated {
		return
	}
	r.tally.Bytes += uint64(len(b))
	f.jitter.add(at, binary.BigEndian.Uint32(b[4:]), f.rate)
	if s.sampled {
		s.check(r, route, b, at)
	}
}

// flow finds or begins a stream.
func (r *received) flow(ssrc uint32, payloadType uint8) *flow {
	f := r.flows[ssrc]
	if f == nil {
		f = &flow{ssrc: ssrc, rate: 90000}
		if payloadType == opusType {
			f.rate = 48000
		}
		r.flows[ssrc] = f
	}
	r.newest = f
	return f
}

// check opens a packet, reads its stamp and records how long it took.
func (s *subscriber) check(r *received, route Route, b []byte, at int64) {
	payload, prefix, ok := s.open(route, b)
	if !ok {
		r.tally.Corrupt++
		return
	}
	if len(payload) == 0 {
		return // padding, which a server sends to probe a path
	}
	st, err := readStamp(payload, prefix)
	if err != nil {
		r.tally.Corrupt++
		return
	}
	r.tally.Checked++
	content := r.contents[st.source]
	if content == nil {
		content = &flow{}
		r.contents[st.source] = content
	}
	if content.count(uint16(st.counter)) {
		r.tally.Copied++
		return
	}
	latency := max(at-st.sentAt, 0) / 1000
	_ = s.engine.latency[route].RecordValue(min(latency, longestLatency))
}

// open decrypts a packet and returns its payload without padding, and where the stamp starts.
func (s *subscriber) open(route Route, b []byte) (payload []byte, prefix int, ok bool) {
	prefix = videoPrefix
	if b[1]&0x7f == opusType {
		prefix = audioPrefix
	}
	if route == Floor {
		header, payload, err := s.floorCipher.Open(b)
		if err == nil && header[0]&0x20 != 0 {
			payload = withoutPadding(payload)
		}
		return payload, prefix, err == nil
	}
	if !s.port.ready() {
		return nil, 0, false
	}
	plain, err := s.port.in.DecryptRTP(s.engine.plain[:0], b, &s.engine.parsed)
	if err != nil {
		return nil, 0, false
	}
	payload = plain[packet.HeaderSize(plain):]
	if s.engine.parsed.Padding {
		payload = withoutPadding(payload)
	}
	return payload, prefix, true
}

// withoutPadding takes off what the last byte says (RFC 3550 §5.1).
func withoutPadding(payload []byte) []byte {
	if len(payload) == 0 {
		return payload
	}
	return payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
}
