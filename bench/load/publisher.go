package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/floor"
)

// Pattern is how a publisher sends.
type Pattern struct {
	Audio    bool
	Interval time.Duration // from frame to frame
	Packets  int           // of a frame
	Bytes    int           // payload of a packet
	Spread   bool          // a frame's packets leave evenly over the interval; else all at once
}

// step is the time from one departure to the next.
func (p Pattern) step() time.Duration {
	if p.Spread {
		return p.Interval / time.Duration(p.Packets)
	}
	return p.Interval
}

// Publisher is a light client that sends one track. Its methods may be called from any goroutine.
type Publisher struct {
	// set at construction
	Source  uint32 // names the publisher in every payload
	engine  *Engine
	port    *port
	pattern Pattern
	phase   time.Duration

	// set by Join
	session *client.Session
	track   *track

	// owned by the engine's thread
	route    Route
	due      time.Duration
	streams  [routes]stream
	floorTo  netip.AddrPort
	floorKey *floor.Cipher
	filling  []byte
	keyframe bool   // the frame that is being sent is one
	wanted   bool   // the next one must be
	asked    uint64 // keyframes
	reportAt time.Duration
	wide     uint16 // transport-wide sequence number
	refused  int    // packets that the kernel did not take
}

// stream is what a publisher has sent on one route.
type stream struct {
	header  rtp.Header
	packets uint64
	octets  uint32
	frame   int64 // of the newest packet, counted from the epoch
	index   int   // of the next packet within its frame, when they are spread
	picture uint16
}

// NewPublisher makes a publisher that sends a pattern from a free port of an address. Its frames are due phase after the
// multiples of the interval. It sends nothing before Engine.Route.
func (e *Engine) NewPublisher(local netip.Addr, source uint32, pattern Pattern, phase time.Duration) (*Publisher, error) {
	least := MinVideoBytes
	if pattern.Audio {
		least = MinAudioBytes
	}
	if pattern.Bytes < least || pattern.Bytes > maxPacket-200 || pattern.Packets < 1 || pattern.step() <= 0 {
		return nil, fmt.Errorf("a payload has %d to %d bytes, a frame at least one packet", least, maxPacket-200)
	}
	port, err := e.open(local, false)
	if err != nil {
		return nil, err
	}
	p := &Publisher{
		Source: source, engine: e, port: port, pattern: pattern, phase: phase, route: Paused,
		filling: filled(pattern.Bytes, uint64(source)), wanted: true,
	}
	for i := range p.streams {
		p.streams[i].header = rtp.Header{Version: 2, PayloadType: vp8Type, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32() & 0x7fff)}
		if pattern.Audio {
			p.streams[i].header.PayloadType = opusType
		}
	}
	err = e.do(func() {
		port.taker = p
		e.publishers = append(e.publishers, p)
		p.advance(e.now())
		e.schedule.add(p)
	})
	return p, err
}

// Join joins a call with one published track and returns once the connection is up.
func (p *Publisher) Join(ctx context.Context, c *client.Client, cfg JoinConfig) error {
	source := "camera"
	p.track = &track{kind: webrtc.RTPCodecTypeVideo, mime: webrtc.MimeTypeVP8}
	if p.pattern.Audio {
		source = "microphone"
		p.track = &track{kind: webrtc.RTPCodecTypeAudio, mime: webrtc.MimeTypeOpus}
	}
	s, err := p.port.join(ctx, c, cfg, client.SessionConfig{Tracks: []client.LocalTrack{{Track: p.track, Source: source}}, Pairs: -1})
	if err != nil {
		return err
	}
	p.session = s
	agreed := p.track.agreed.Load()
	if agreed == nil {
		s.Close()
		return fmt.Errorf("the server does not take the track")
	}
	return p.engine.do(func() {
		h := &p.streams[Server].header
		h.SSRC, h.PayloadType = agreed.ssrc, agreed.payloadType
		for i := range p.streams {
			p.extend(&p.streams[i].header, agreed)
		}
	})
}

// extend puts the agreed extensions into the header of every packet.
func (p *Publisher) extend(h *rtp.Header, a *agreement) {
	if a.transportCC != 0 {
		_ = h.SetExtension(a.transportCC, []byte{0, 0}) // ids of an answer are good
	}
	if a.audioLevel != 0 && p.pattern.Audio {
		_ = h.SetExtension(a.audioLevel, []byte{0x80 | 20}) // voice at -20 dBov
	}
}

// SSRC is that of the publisher's packets on a route.
func (p *Publisher) SSRC(r Route) uint32 { return p.streams[r].header.SSRC }

// Leave says goodbye to the server and ends the publisher.
func (p *Publisher) Leave(ctx context.Context) error {
	err := p.session.Leave(ctx)
	p.Close()
	return err
}

// Close ends the publisher without a word, as a killed process does.
func (p *Publisher) Close() {
	if p.session != nil {
		p.session.Close()
	}
	_ = p.engine.do(func() { p.engine.removePublisher(p) }) // a closed engine has closed the port
}

// advance finds the next due time after now. Frames that were missed stay missed: sending them late in one go would be
// another load than the one asked for.
func (p *Publisher) advance(now time.Duration) {
	step := p.pattern.step()
	p.due = p.phase + ((now-p.phase)/step+1)*step
}

// emit sends what is due now.
func (p *Publisher) emit(now time.Duration) {
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
	rate := int64(90000)
	if p.pattern.Audio {
		rate = 48000
	}
	st.header.Timestamp = uint32(st.frame * rate * int64(p.pattern.Interval) / int64(time.Second))
	for i := from; i < to; i++ {
		p.packet(st, i)
	}
	p.refused += p.engine.outbox.Flush(p.port.socket)
}

// packet stamps, seals and queues one packet.
func (p *Publisher) packet(st *stream, i int) {
	e := p.engine
	h := &st.header
	h.SequenceNumber++
	h.Marker = !p.pattern.Audio && i == p.pattern.Packets-1
	agreed := agreement{}
	if p.track != nil && p.track.agreed.Load() != nil {
		agreed = *p.track.agreed.Load()
	}
	if agreed.transportCC != 0 {
		p.wide++
		copy(h.GetExtension(agreed.transportCC), []byte{byte(p.wide >> 8), byte(p.wide)})
	}
	n, err := h.MarshalTo(e.plain)
	if err != nil {
		p.refused++
		return
	}
	payload := e.plain[n : n+p.pattern.Bytes]
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
	writeStamp(payload, prefix, stamp{p.Source, st.packets, time.Now().UnixNano()})
	st.packets++
	st.octets += uint32(len(payload))
	if e.outbox.Full() {
		p.refused += e.outbox.Flush(p.port.socket)
	}
	p.seal(h, e.plain[:n+p.pattern.Bytes], n)
}

// seal puts one packet into the outbox for its route.
func (p *Publisher) seal(h *rtp.Header, plain []byte, header int) {
	e := p.engine
	slot := e.packets[e.outbox.Len()][:0]
	if p.route == Floor {
		e.outbox.Add(p.floorTo, p.floorKey.Seal(slot, plain[:header], plain[header:]), 0)
		return
	}
	if !p.port.ready() {
		p.refused++
		return
	}
	sealed, err := p.port.out.EncryptRTP(slot, plain, h)
	if err != nil {
		p.refused++
		return
	}
	e.outbox.Add(p.port.remote, sealed, 0)
}

// rtp does nothing: nobody sends media to a publisher.
func (p *Publisher) rtp([]byte, netip.AddrPort, int64) {}

// rtcp listens for requests of a keyframe.
func (p *Publisher) rtcp(b []byte, _ int64) {
	if !p.port.ready() {
		return
	}
	plain, err := p.port.in.DecryptRTCP(p.engine.plain[:0], b, nil)
	if err != nil {
		p.port.errors++
		return
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		p.port.errors++
		return
	}
	for _, packet := range packets {
		switch packet.(type) {
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			p.wanted = true
			p.asked++
		}
	}
}
