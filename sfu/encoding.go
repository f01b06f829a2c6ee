package sfu

import (
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/nack"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/red"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/seq"
	"github.com/parleyrtc/parley/sfu/transport"
)

// What one encoding keeps for retransmission besides Config.HistoryPackets, which is for video.
const (
	videoPayload = 1200 // bytes of a packet, on average at most
	audioPackets = 128
	audioBytes   = 32 << 10
)

// watchedFor is for how many of our reports, one a second, we ask for what is missing of an encoding after anybody looked.
const watchedFor = 3

// sourceSilence is how long a publication's source must have been silent before another one, that no SDP declared, takes its
// place.
const sourceSilence = 500 * time.Millisecond

// encoding is one of the streams that a publication is sent in: with simulcast there is one for each size.
type encoding struct {
	// Set at construction.
	publication *publication
	rid         string // "" when it is the only one

	watched atomic.Int32 // somebody has had a packet of it, or waited for one, within so many of our reports

	// Guarded by publication.owner.incoming.mu.
	index    uint8  // by size, the smallest is 0
	ssrc     uint32 // 0: not known yet
	codec    packet.Codec
	h264     packet.H264Format
	epoch    uint64 // counts sources and codecs: numbers of different epochs have nothing to do with each other
	repairs  bool   // the client answers NACKs
	heard    time.Time
	sequence seq.Sequence
	missing  *nack.Generator
	books    *report.Receiver
	graded   graded
	copies   int // that a packet carried last, see restore
	line     report.Line
	history  *history.History
	wanted   bool // a keyframe
	first    bool // by somebody who has no picture at all yet
	asked    time.Time

	off  bool      // the publisher has been told to stop it
	onAt time.Time // when it was told to send it again

	*pictures // of video
}

// pictures is what is known of an encoding's pictures and their layers.
type pictures struct {
	reader layer.Reader
	rates  layer.Rates
	sizes  [maxSpatial][2]uint16 // width and height in pixels of each spatial layer, 0: not known
	flow   flow

	cost cost

	known     []measure // what its layers took when last measured
	knownAt   time.Time
	knownFrom time.Time
}

// watch notes that somebody looks at it.
func (e *encoding) watch() {
	if e.watched.Load() != watchedFor { // written seldom, as all who look at it share it
		e.watched.Store(watchedFor)
	}
}

// newEncoding makes the one that is named so, of so many. The largest keeps most packets, each smaller one half of that: they
// have fewer for the same time.
func newEncoding(pub *publication, rid string, index, of int) *encoding {
	e := &encoding{publication: pub, rid: rid, index: uint8(index), missing: nack.New(nack.Config{})}
	if pub.video {
		n := pub.owner.room.sfu.config.HistoryPackets >> (of - 1 - index)
		e.history = history.New(n, n*videoPayload)
		e.pictures = &pictures{}
		e.watched.Store(watchedFor) // nobody has had the time to look, and the first key frame may have to wait for a network
	} else {
		e.history = history.New(audioPackets, audioBytes)
	}
	return e
}

// restart begins a new epoch. The inbox's lock is held.
func (e *encoding) restart(ssrc uint32, codec *transport.Codec) {
	if e.ssrc != ssrc {
		e.sequence = seq.Sequence{}
		e.books = report.NewReceiver(codec.Codec.ClockRate())
		e.line = report.Line{}
	}
	e.ssrc, e.codec, e.h264 = ssrc, codec.Codec, codec.H264
	e.epoch++
	e.missing.Reset()
	e.history.Reset()
	if e.pictures != nil {
		*e.pictures = pictures{}
	}
}

// receive takes note of one packet of this encoding or of its repairs, and returns its number. The inbox's lock is held.
func (e *encoding) receive(now time.Time, info *packet.Info, codec *transport.Codec) (int64, dropReason) {
	if codec.Repair {
		return e.repaired(info, codec)
	}
	if codec.Codec == packet.Unknown || codec.Codec.Video() != e.publication.video {
		return 0, dropPayloadType
	}
	highest, _ := e.sequence.Highest()
	switch {
	case e.ssrc == 0:
		e.restart(info.SSRC, codec)
	case e.ssrc != info.SSRC && now.Sub(e.heard) < sourceSilence:
		return 0, dropSource
	case e.ssrc != info.SSRC:
		e.restart(info.SSRC, codec)
	case e.codec != codec.Codec || e.h264 != codec.H264:
		// The number line goes on through a change of codec; what was sent before it and comes late belongs to the old one.
		if e.sequence.Peek(info.Sequence) <= highest {
			return 0, dropLate
		}
		e.restart(info.SSRC, codec)
	}
	e.heard = now
	e.repairs = codec.NACK
	_, started := e.sequence.Highest()
	sequence := e.sequence.Unwrap(info.Sequence)
	e.books.Received(now, sequence, info.Timestamp)
	if !e.missing.Received(now, sequence) && started && sequence <= highest {
		return 0, dropDuplicate // a repetition of it came first, or it is too late to be of use
	}
	return sequence, forwarded
}

// repaired takes note of a retransmission.
func (e *encoding) repaired(info *packet.Info, codec *transport.Codec) (int64, dropReason) {
	if e.ssrc == 0 || !info.UnwrapRTX(e.ssrc, codec.Repairs) {
		return 0, dropPadding
	}
	sequence := e.sequence.Peek(info.Sequence)
	if highest, _ := e.sequence.Highest(); sequence > highest || !e.missing.Repaired(sequence) {
		return 0, dropRepair
	}
	return sequence, forwarded
}

// take makes m the packet to forward, and keeps a copy of it when somebody may ask for it again.
func (e *encoding) take(now time.Time, sequence int64, info *packet.Info, m *media) {
	p := history.Packet{
		Sequence: sequence, Timestamp: info.Timestamp, Arrived: now, PayloadType: info.PayloadType, Marker: info.Marker,
		AudioLevel: info.AudioLevel, Voice: info.Voice, HasAudioLevel: info.HasAudioLevel, Payload: info.Payload,
	}
	pub := e.publication
	if pub.video && len(info.Payload) > 0 {
		e.reader.Read(e.codec, e.index, info, info.Dependency, &m.facts)
		p.Keyframe, p.Spatial, p.Temporal = m.facts.Keyframe, m.facts.Spatial, m.facts.Temporal
		if m.facts.HasDependency {
			p.Dependency = info.Dependency
		}
		e.rates.Add(now, &m.facts, len(info.Payload))
		e.measure(m, info.Payload)
		e.cost.add(m.facts.Keyframe, info.Timestamp, len(info.Payload))
		pub.flows(now, e, m)
	}
	if p.Keyframe {
		e.wanted, e.first = false, false
	}
	e.keep(&p)
	m.fill(e, &p)
}

// keep keeps a copy of a packet when somebody may ask for it again. What came before the gate opened is nobody's to see, later either.
func (e *encoding) keep(p *history.Packet) {
	pub := e.publication
	wanted := pub.owner.room.open.Load() && (pub.microphone != nil || len(*pub.subscriptions.Load()) > 0)
	if wanted && len(p.Payload) > 0 {
		e.history.Put(p)
	}
}

// repeat makes m a packet out of the history, its bytes in into; false when it is gone or from another epoch.
func (e *encoding) repeat(epoch uint64, sequence int64, m *media, into *copied) bool {
	in := &e.publication.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	if e.epoch != epoch {
		return false
	}
	old, ok := e.history.Get(sequence)
	if !ok {
		return false
	}
	if e.publication.video {
		info := packet.Info{Timestamp: old.Timestamp, Marker: old.Marker, Payload: old.Payload}
		read := layer.Layer{Encoding: e.index, Spatial: old.Spatial, Temporal: old.Temporal}
		e.reader.Again(e.codec, read, &info, old.Dependency, &m.facts)
		if old.Dependency != nil && !m.facts.HasDependency { // Its structure is forgotten.
			return false
		}
	}
	m.fill(e, old)
	m.payload = into.payload[:copy(into.payload[:maxPayload], old.Payload)]
	m.sent = m.payload
	if old.Padding > 0 {
		m.sent = appendPadding(m.payload, int(old.Padding))
	}
	m.dependency = into.dependency[:copy(into.dependency[:], old.Dependency)]
	return true
}

// copied is room for a packet out of a history.
type copied struct {
	payload    [maxPayload + maxEven]byte
	dependency [maxDescriptor]byte
	earlier    [red.MaxDistance][maxCopy]byte // frames that it carries copies of
}
