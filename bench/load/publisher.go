package load

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/floor"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// Pattern is how a publisher sends.
type Pattern struct {
	Audio    bool
	Interval time.Duration // from frame to frame
	Packets  int           // of a frame
	Bytes    int           // payload of a packet
	Uneven   bool          // the first half of a frame's packets are a byte shorter, as libwebrtc splits most frames
	Spread   bool          // a frame's packets leave evenly over the interval; else all at once
	Trains   bool          // a frame leaves as one train, which the kernel cuts (UDP_SEGMENT): cheaper for the sender
}

// step is the time from one departure to the next.
func (p Pattern) step() time.Duration {
	if p.Spread {
		return p.Interval / time.Duration(p.Packets)
	}
	return p.Interval
}

// perStep is how many packets one departure has.
func (p Pattern) perStep() int {
	if p.Spread {
		return 1
	}
	return p.Packets
}

// bytes is the payload of a frame's packet.
func (p Pattern) bytes(index int) int {
	if p.Uneven && index < p.Packets/2 {
		return p.Bytes - 1
	}
	return p.Bytes
}

func (p Pattern) check() error {
	least := MinVideoBytes
	if p.Audio {
		least = MinAudioBytes
	}
	if p.bytes(0) < least || p.Bytes > maxPacket-200 || p.Packets < 1 || p.step() <= 0 {
		return fmt.Errorf("a payload has %d to %d bytes, a frame at least one packet", least, maxPacket-200)
	}
	return nil
}

// publisher sends one track of a client. It belongs to the engine's thread.
type publisher struct {
	// set at construction
	source  uint32 // names the publisher in every payload
	engine  *Engine
	port    *port
	pattern Pattern
	phase   time.Duration
	track   *track

	// owned by the engine's thread
	route       Route
	due         time.Duration
	streams     [routes]stream
	receivers   uint64 // to whom a packet has to go
	transportCC uint8  // extension id, 0: the server does not want it
	floorKey    *floor.Cipher
	filling     []byte
	keyframe    bool   // the frame that is being sent is one
	wanted      bool   // the next one must be
	asked       uint64 // keyframes
	reportAt    time.Duration
	refused     int    // packets that the kernel did not take
	skipped     uint64 // packets whose time had passed when the thread came to them
}

// stream is what a publisher has sent on one route.
type stream struct {
	header  rtp.Header
	packets uint64
	copies  uint64 // that should arrive of them
	octets  uint32
	frame   int64 // of the newest packet, counted from the epoch
	index   int   // of the next packet within its frame, when they are spread
	picture uint16
}

func newPublisher(e *Engine, port *port, cfg Publication) *publisher {
	p := &publisher{
		source: cfg.Source, engine: e, port: port, pattern: cfg.Pattern, phase: cfg.Phase, route: Paused, receivers: 1,
		filling: filled(cfg.Pattern.Bytes, uint64(cfg.Source)), wanted: true,
		track: &track{kind: webrtc.RTPCodecTypeVideo, mime: webrtc.MimeTypeVP8},
	}
	payloadType := uint8(vp8Type)
	if cfg.Pattern.Audio {
		p.track = &track{kind: webrtc.RTPCodecTypeAudio, mime: webrtc.MimeTypeOpus}
		payloadType = opusType
	}
	for i := range p.streams {
		p.streams[i].header = rtp.Header{
			Version: 2, PayloadType: payloadType, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32() & 0x7fff),
		}
	}
	return p
}

// local is the track as a session offers it.
func (p *publisher) local() client.LocalTrack {
	if p.pattern.Audio {
		return client.LocalTrack{Track: p.track, Source: "microphone"}
	}
	return client.LocalTrack{Track: p.track, Source: "camera"}
}

// agree takes over what was negotiated. On all routes the packets have the same extensions.
func (p *publisher) agree(a agreement) {
	p.streams[Server].header.SSRC = a.ssrc
	p.streams[Server].header.PayloadType = a.payloadType
	p.transportCC = a.transportCC
	for i := range p.streams {
		h := &p.streams[i].header
		if a.transportCC != 0 {
			_ = h.SetExtension(a.transportCC, []byte{0, 0}) // ids of an answer are good
		}
		if a.audioLevel != 0 && p.pattern.Audio {
			_ = h.SetExtension(a.audioLevel, []byte{0x80 | 20}) // voice at -20 dBov
		}
	}
}

// forFloor prepares the publisher for the floor and returns what the floor must know of it.
func (p *publisher) forFloor(room int) (floor.Publisher, error) {
	key := make([]byte, floor.KeySize+floor.SaltSize)
	copy(key, filled(len(key), uint64(p.source)+1)) // it keeps no secret
	c, err := floor.NewCipher(key)
	if err != nil {
		return floor.Publisher{}, err
	}
	ssrc := p.source + 1 // sources are all different, random SSRCs need not be
	err = p.engine.do(func() {
		p.floorKey = c
		p.streams[Floor].header.SSRC = ssrc
	})
	return floor.Publisher{SSRC: ssrc, Room: room, Key: key}, err
}

// clockRate is that of the RTP timestamps.
func (p *publisher) clockRate() int64 {
	if p.pattern.Audio {
		return 48000
	}
	return 90000
}

// advance finds the next due time after now and says how many departures were missed. They stay missed: sending them late
// in one go would be another load than the one asked for.
func (p *publisher) advance(now time.Duration) (missed int) {
	step, was := p.pattern.step(), p.due
	p.due = p.phase + ((now-p.phase)/step+1)*step
	return int((p.due-was)/step) - 1
}

// emit sends what is due now.
func (p *publisher) emit(now time.Duration) {
	st := &p.streams[p.route]
	from, to := 0, p.pattern.Packets
	if p.pattern.Spread {
		from, to = st.index, st.index+1
		st.index = to % p.pattern.Packets
	}
	if from == 0 {
		st.frame = int64((now - p.phase) / p.pattern.Interval)
		st.picture = (st.picture + 1) & 0x7fff
	}
	st.header.Timestamp = uint32(st.frame * p.clockRate() * int64(p.pattern.Interval) / int64(time.Second))
	sentAt := time.Now().UnixNano() // once for the burst, which leaves in one piece
	for i := from; i < to; i++ {
		p.packet(st, i, sentAt)
	}
	p.depart()
}

// depart sends what has been sealed.
func (p *publisher) depart() {
	e := p.engine
	if len(e.train) > 0 {
		e.outbox.Add(p.to(), e.train, e.segment)
		e.train = e.train[:0]
	}
	p.refused += e.outbox.Flush(p.port.socket)
}

// to is where the publisher sends.
func (p *publisher) to() netip.AddrPort {
	if p.route == Floor {
		return p.port.floor
	}
	return p.port.remote
}

// packet stamps, seals and queues one packet.
func (p *publisher) packet(st *stream, i int, sentAt int64) {
	e := p.engine
	h := &st.header
	h.SequenceNumber++
	h.Marker = !p.pattern.Audio && i == p.pattern.Packets-1
	if p.transportCC != 0 {
		p.port.wide++
		copy(h.GetExtension(p.transportCC), []byte{byte(p.port.wide >> 8), byte(p.port.wide)})
	}
	n, err := h.MarshalTo(e.plain)
	if err != nil {
		p.refused++
		return
	}
	payload := e.plain[n : n+p.pattern.bytes(i)]
	copy(payload, p.filling)
	prefix := audioPrefix
	if p.pattern.Audio {
		payload[0] = 0xfc // Opus, 20 ms of full band, one frame (RFC 6716 §3.1)
	} else {
		if i == 0 {
			p.keyframe, p.wanted = p.wanted, false
		}
		prefix = videoPrefix
		beginVideo(payload, i == 0, p.keyframe, st.picture)
	}
	writeStamp(payload, prefix, stamp{p.source, st.packets, sentAt})
	st.packets++
	st.copies += p.receivers
	st.octets += uint32(len(payload))
	p.queue(e.plain[:n+len(payload)], n)
}

// queue seals one packet, for the outbox or for the train.
func (p *publisher) queue(plain []byte, header int) {
	e := p.engine
	if e.outbox.Full() || len(e.train) > cap(e.train)-maxPacket || len(e.train) > 0 && (len(e.train) == datagram.MaxSegments*e.segment || len(plain) != e.unsealed) {
		p.depart()
	}
	slot := e.packets[e.outbox.Len()][:0]
	if p.pattern.Trains {
		slot = e.train[len(e.train):]
	}
	sealed := p.seal(slot, plain, header)
	switch {
	case sealed == nil:
		p.refused++
	case p.pattern.Trains: // its packets are all of one length
		e.train, e.segment, e.unsealed = e.train[:len(e.train)+len(sealed)], len(sealed), len(plain)
	default:
		e.outbox.Add(p.to(), sealed, 0)
	}
}

// seal seals one packet for its route into the free part of slot, which holds it. It is nil if there are no keys.
func (p *publisher) seal(slot, plain []byte, header int) []byte {
	if p.route == Floor {
		return p.floorKey.Seal(slot, plain[:header], plain[header:])
	}
	if !p.port.ready() {
		return nil
	}
	// The header that it fills has pieces of plain, which the next packet overwrites, so it must not be the stream's.
	sealed, err := p.port.out.EncryptRTP(slot, plain, &p.engine.parsed)
	if err != nil {
		return nil
	}
	return sealed
}
